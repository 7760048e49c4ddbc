import { Button } from '@mantine/core';
import { useRef, useState } from 'react';
import { useReconnect } from '../api/api-context.tsx';
import { useFeed } from '../api/use-feed.ts';
import { Panel } from '../details/panel.tsx';
import type { JobLogSubscription } from '../generated/graphql.ts';
import { graphql } from '../generated/index.ts';
import { Faint } from '../parts/text.tsx';
import { Moment } from '../parts/time.tsx';
import styles from './job-events.module.css';

const JobLog = graphql(`
  subscription JobLog($id: ID!, $after: String) {
    jobEvents(id: $id, after: $after) {
      cursor
      event {
        id
        time
        message
      }
      gap {
        message
      }
    }
  }
`);

type Message = JobLogSubscription['jobEvents'];

/** How many events are shown at first. */
const SHOWN = 20;

/** Lists what has happened to a job, the newest first, live; after a lost connection it continues where it was. */
export function JobEvents({ jobId }: { jobId: string }) {
  const [messages, setMessages] = useState<ReadonlyMap<string, Message>>(new Map());
  const [isWhole, setIsWhole] = useState(false);
  const isBack = useRef(false);
  const [hasCaughtUp, setHasCaughtUp] = useState(false);
  useReconnect(() => {
    isBack.current = true;
  });
  useFeed(
    JobLog,
    { id: jobId },
    {
      fetchPolicy: 'no-cache',
      // A feed that begins anew repeats what is here already.
      onData({ jobEvents }) {
        setMessages((known) => new Map(known).set(toKey(jobEvents), jobEvents));
        // Where something is missing, the first message after a reconnection says so.
        if (isBack.current) setHasCaughtUp(jobEvents.gap === null);
        isBack.current = false;
      },
      onEnd() {},
    },
  );
  const newest = [...messages.values()].toReversed();
  const shown = isWhole ? newest : newest.slice(0, SHOWN);
  return (
    <Panel title="What happened" id="events">
      <div role="status">{hasCaughtUp && <Faint>Reconnected, nothing missed.</Faint>}</div>
      <ol className={styles.events}>
        {shown.map((message) => (
          <Entry key={toKey(message)} message={message} />
        ))}
      </ol>
      {shown.length < newest.length && (
        <Button size="compact-sm" variant="subtle" onClick={() => setIsWhole(true)}>
          Show all {newest.length}
        </Button>
      )}
    </Panel>
  );
}

function toKey({ event, cursor }: Message): string {
  return event?.id ?? cursor;
}

function Entry({ message: { event, gap } }: { message: Message }) {
  if (event === null) return <li>{gap !== null && <Faint>{gap.message}</Faint>}</li>;
  return (
    <li>
      <Moment at={event.time} />
      <span>{event.message}</span>
    </li>
  );
}
