import { builder } from './builder.ts';
import './api-key.ts';
import './audit.ts';
import './data-source.ts';
import './data-type.ts';
import './job-error.ts';
import './item.ts';
import './item-marking.ts';
import './job.ts';
import './me.ts';
import './job-control.ts';
import './query-job.ts';
import { requiredRoleOf } from './requires.ts';
import './sync.ts';

/** The schema of the API, of which schema.graphql is the printed form. */
export const schema = builder.toSchema();

// A field that is for every role says so too: one that said nothing would be so unseen.
for (const type of [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]) {
  for (const field of Object.values(type?.getFields() ?? {})) {
    const role = requiredRoleOf(field);
    if (role === null) throw new Error(`${type}.${field.name} does not say which role it needs`);
    if (role !== 'viewer') field.description += ` Needs the role ${role.toUpperCase()}.`;
  }
}
