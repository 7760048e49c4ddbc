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
