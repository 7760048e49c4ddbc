import { builder } from './builder.ts';
import './api-key.ts';
import './audit.ts';
import './data-source.ts';
import './data-type.ts';
import './error.ts';
import './item.ts';
import './item-marking.ts';
import './job.ts';
import './job-change-feed.ts';
import './job-error-feed.ts';
import './job-event.ts';
import './job-throughput.ts';
import './source-deletes.ts';
import './source-counts.ts';
import './source-removals.ts';
import './sync-preview.ts';
import './me.ts';
import './job-control.ts';
import './query-job.ts';
import './repair-catalog.ts';
import './source-schema.ts';
import { findRequiredRole } from './requires.ts';
import './sync.ts';

/** The schema of the API; schema.graphql is its printed form. */
export const schema = builder.toSchema();

// Fields for every role must say so too; otherwise a forgotten role would go unnoticed.
for (const type of [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]) {
  for (const field of Object.values(type?.getFields() ?? {})) {
    const role = findRequiredRole(field);
    if (role === null) throw new Error(`${type}.${field.name} does not say which role it needs`);
    if (role !== 'viewer') field.description += ` Needs the role ${role.toUpperCase()}.`;
  }
}
