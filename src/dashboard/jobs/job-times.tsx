import { Link } from 'react-router';
import { Fact, Facts } from '../details/facts.tsx';
import { Panel } from '../details/panel.tsx';
import { formatMoment, NO_VALUE } from '../format/format.ts';
import { readKey, shortenId } from '../format/ids.ts';
import type { JobRowFragment } from '../generated/graphql.ts';
import { Mono } from '../parts/text.tsx';

/** Shows when a job started and ended, and who started it. */
export function JobTimes({ job }: { job: JobRowFragment }) {
  const { id, createdAt, startedBy, startedAt, finishedAt, retryOf, retryMode } = job;
  return (
    <Panel title="Times">
      <Facts>
        <Fact name="Started">{formatMoment(createdAt)}</Fact>
        <Fact name="Started by" title={startedBy === null ? undefined : readKey(startedBy.id)}>
          {startedBy?.name ?? NO_VALUE}
        </Fact>
        <Fact name="First claimed">{formatMoment(startedAt)}</Fact>
        <Fact name="Ended">{formatMoment(finishedAt)}</Fact>
        {retryOf !== null && (
          <Fact name="Retry of">
            <Link to={`/jobs/${readKey(retryOf.id)}`}>
              <Mono>{shortenId(retryOf.id)}</Mono>
            </Link>
            {retryMode === 'FAILED_ITEMS' && ', failed items only'}
            {retryMode === 'FAILED_SOURCES' && ', failed sources only'}
          </Fact>
        )}
        <Fact name="Items">
          <Link to={`/items?job=${readKey(id)}&deleted=shown`}>Items last changed by this job</Link>
        </Fact>
        <Fact name="ID">
          <Mono>{readKey(id)}</Mono>
        </Fact>
      </Facts>
    </Panel>
  );
}
