import { isObjectType } from 'graphql';
import { builder } from './builder.ts';
import './data-source.ts';
import './data-type.ts';
import './error.ts';
import './item.ts';
import './job.ts';
import './job-control.ts';
import './query-job.ts';
import './sync.ts';

/** The schema of the API, of which schema.graphql is the printed form. */
export const schema = builder.toSchema();

// The plugin that makes the field takes no description for it.
for (const type of Object.values(schema.getTypeMap())) {
  const totalCount = isObjectType(type) ? type.getFields().totalCount : undefined;
  if (totalCount !== undefined) totalCount.description = 'How many the whole list has, whatever the page.';
}
