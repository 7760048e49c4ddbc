import type { FieldMap } from '@pothos/core';
import type { Entry, GapReason } from '../../jobs/events/feed.ts';
import { builder } from './builder.ts';

/** A message of a feed: an entry or a gap, with the place behind it. */
export interface FeedMessage<Value> {
  readonly cursor: string;
  readonly value: Value | null;
  readonly gap: GapReason | null;
}

/** Describes an argument `after` of a feed. @param start where the feed begins without it. */
export function describeAfter(start: string): string {
  return `Continue after this \`cursor\` of an earlier message. One that cannot be continued from gives a \`gap\`. Default: from ${start}. An event stream has the cursors as the ids of its events, and continues after the header \`Last-Event-ID\`, if that is sent.`;
}

/**
 * Converts an entry of a feed to a message, the same for all subscribers of the feed that get it, so that it is executed once
 * for all of them.
 * @param feed what is followed, unique among feeds.
 * @param encode encodes a place of the feed as a cursor; null for its beginning.
 */
export function toMessage<Value extends object, Place>(
  entry: Entry<Value | null, Place>,
  feed: string,
  encode: (place: Place | null) => string,
): FeedMessage<Value> {
  const sent = messages.get(entry) ?? new Map<string, FeedMessage<object>>();
  messages.set(entry, sent);
  let message = sent.get(feed) as FeedMessage<Value> | undefined;
  if (message === undefined) {
    const cursor = encode(entry.place);
    message =
      'gap' in entry ? { cursor, value: null, gap: entry.gap } : { cursor, value: entry.value, gap: null };
    sent.set(feed, message);
  }
  return message;
}

const messages = new WeakMap<object, Map<string, FeedMessage<object>>>();

const GapReasonEnum = builder.enumType('GapReason', {
  description: 'Why entries of a feed are missing.',
  values: {
    UNKNOWN: { description: 'Your cursor is none of this feed.' },
    EXPIRED: { description: 'What your cursor marks has been deleted, or you may no longer see it.' },
    BEHIND: { description: 'Too much has happened since your cursor.' },
  } as const,
});

const GAPS: Readonly<Record<GapReason, string>> = {
  UNKNOWN: 'The cursor is none of this feed, so it begins anew',
  EXPIRED: 'What the cursor marks is no longer there, so all that is stored follows',
  BEHIND: 'Too much has happened since the cursor: read the list, and then what follows',
};

const GapType = builder.objectRef<GapReason>('Gap').implement({
  description:
    'A place of a feed where entries may be missing. The feed continues after the `cursor` of the message.',
  fields: (t) => ({
    reason: t.field({ type: GapReasonEnum, description: 'Why.', resolve: (reason) => reason }),
    message: t.string({ description: 'The reason, for people.', resolve: (reason) => GAPS[reason] }),
  }),
});

type Fields = PothosSchemaTypes.ObjectFieldBuilder<
  typeof builder.$inferSchemaTypes,
  Pick<FeedMessage<unknown>, 'cursor' | 'gap'>
>;

/** The fields that messages of all feeds have. */
export function createMessageFields(t: unknown): FieldMap {
  const fields = t as Fields;
  return {
    cursor: fields.exposeString('cursor', {
      description: 'The place of the message in the feed, to continue `after` it.',
    }),
    gap: fields.field({
      type: GapType,
      nullable: true,
      description: 'Set if entries may be missing before the next message; null otherwise.',
      resolve: ({ gap }) => gap,
    }),
  };
}
