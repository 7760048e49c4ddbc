import type { JobError } from '../../database/generated/prisma/client.ts';
import { BEGINNING } from '../../jobs/events/seen-place.ts';
import { JobNotFoundError } from '../../jobs/job-errors.ts';
import { mapIterator } from '../../shared/async-iterator.ts';
import { builder } from './builder.ts';
import { createMessageFields, describeAfter, type FeedMessage, toMessage } from './feed-message.ts';
import { parseUuid } from './global-id.ts';
import { JobErrorNode } from './job.ts';
import { encodePlace, findStart } from './place-cursor.ts';
import { requires } from './requires.ts';

const JobErrorMessageType = builder.objectRef<FeedMessage<JobError>>('JobErrorMessage').implement({
  description: 'A message of the feed of the errors of a job: an error, or a gap before the next one.',
  fields: (t) => ({
    ...createMessageFields(t),
    error: t.field({
      type: JobErrorNode,
      nullable: true,
      description: 'What went wrong; null for a gap.',
      resolve: ({ value }) => value,
    }),
  }),
});

builder.subscriptionField('jobErrors', (t) =>
  t.field({
    authScopes: requires('viewer'),
    type: JobErrorMessageType,
    description:
      'Follows the errors of one job to its end: what is stored first, then each further one, once and in the order in which they were committed. More than 10,000 at once are a gap: read them with `Job.errors`. An attempt that starts a source over may delete errors that were sent.',
    args: {
      id: t.arg.id({ required: true, description: 'Id of the job, globally unique or a bare UUID.' }),
      after: t.arg.string({ required: false, description: describeAfter('the beginning') }),
    },
    subscribe: async (_root, { id, after }, { jobs, lastEventId }) => {
      const jobId = parseUuid('Job', id, 'id');
      const feed = `jobErrors ${jobId}`;
      const entries = await jobs.feeds.watchErrors(jobId, findStart(feed, lastEventId ?? after));
      if (entries === null) throw new JobNotFoundError(jobId);
      return mapIterator(entries, (entry) =>
        toMessage(entry, feed, (place) => encodePlace(feed, place ?? BEGINNING)),
      );
    },
    resolve: (message: FeedMessage<JobError>) => message,
  }),
);
