import { createHash } from 'node:crypto';
import type { Job } from '../../database/generated/prisma/client.ts';
import type { JobChange } from '../../jobs/events/change-feed.ts';
import { mapIterator } from '../../shared/async-iterator.ts';
import { builder } from './builder.ts';
import { createMessageFields, describeAfter, type FeedMessage, toMessage } from './feed-message.ts';
import { JobNode } from './job.ts';
import { JobFilterInput, parseJobFilter } from './job-filter.ts';
import { encodePlace, findStart } from './place-cursor.ts';
import { requires } from './requires.ts';

const JobChangeType = builder.objectRef<FeedMessage<JobChange>>('JobChange').implement({
  description:
    'A message of the feed of all jobs: a job that has changed, or where the feed begins or has a gap.',
  fields: (t) => ({
    ...createMessageFields(t),
    job: t.field({
      type: JobNode,
      nullable: true,
      description: 'A job that was created or has changed. Null if `mayHaveMissed` is true.',
      resolve: ({ value }): Job | null => value?.job ?? null,
    }),
    matches: t.boolean({
      nullable: true,
      description:
        'Whether the job matches the filter. False for one to take off the list. Null without a job.',
      resolve: ({ value }) => value?.isMatch ?? null,
    }),
    mayHaveMissed: t.boolean({
      description:
        'Whether jobs may have changed without a message, so that a list has to be loaded again: true for the first message of a subscription without `after`, and for a gap.',
      resolve: ({ value }) => value === null,
    }),
  }),
});

builder.subscriptionField('jobChanges', (t) =>
  t.field({
    authScopes: requires('viewer'),
    type: JobChangeType,
    description:
      'Watches all jobs, for lists: each job that matches the filter, whenever it is created or changes, in the order in which that was committed, and once more if it stops to match. The first message says that the subscription has begun: load the list then. With `after`, it continues where a connection broke off, and brings the present state of each job that has changed since, also of one that only may have matched. A slow client skips to the newest state of each job. More than 10,000 changed jobs at once are a gap. Does not complete.',
    args: {
      filter: t.arg({
        type: JobFilterInput,
        required: false,
        description: 'Which jobs, as of the list `jobs`. Default: all.',
      }),
      after: t.arg.string({
        required: false,
        description: `${describeAfter('now on')} A cursor belongs to the filter.`,
      }),
    },
    subscribe: async (_root, { filter, after }, context) => {
      const { jobs, lastEventId, principal } = context;
      const parsed = parseJobFilter(context, filter);
      // With another filter or clearance, other jobs would have come before the place.
      const facts = JSON.stringify([parsed, principal.clearance]);
      const feed = `jobChanges ${createHash('sha256').update(facts).digest('base64url').slice(0, 16)}`;
      const changes = await jobs.feeds.watchChanges(parsed, findStart(feed, lastEventId ?? after));
      return mapIterator(changes, (entry) =>
        toMessage(entry, feed, (place) => (place === null ? '' : encodePlace(feed, place))),
      );
    },
    resolve: (message: FeedMessage<JobChange>) => message,
  }),
);
