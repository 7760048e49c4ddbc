import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { formatCount } from '../format/format.ts';
import { type FragmentType, graphql, readFragment } from '../generated/index.ts';
import { JsonView, TextView } from '../parts/json-view.tsx';
import { uuidOf } from './job-title.tsx';

/** What a job was started with. */
export const JobConfigurationFacts = graphql(`
  fragment JobConfigurationFacts on Job {
    kind
    dataType
    dataSources {
      id
      name
      fullTableName
    }
    configuration {
      ... on SyncConfiguration {
        syncType
        filter
        maxItems
        options {
          ...OptionFacts
        }
      }
      ... on QueryConfiguration {
        sqlQuery
        parameterNames
        classification
        metadata
        options {
          ...OptionFacts
        }
      }
    }
  }
`);

const OptionFacts = graphql(`
  fragment OptionFacts on JobOptions {
    batchSize
    maxErrors
    maxAttempts
    partitionRows
  }
`);

export function JobConfiguration({ job }: { job: FragmentType<typeof JobConfigurationFacts> }) {
  const { dataType, dataSources, configuration } = readFragment(JobConfigurationFacts, job);
  const options = readFragment(OptionFacts, configuration.options);
  return (
    <section className="panel" aria-labelledby="configuration">
      <h2 id="configuration">Configuration</h2>
      {configuration.__typename === 'QueryConfiguration' && (
        <TextView text={configuration.sqlQuery} label="The query" />
      )}
      <dl className="list">
        <Entry name="Data type">{dataType ?? 'all'}</Entry>
        {configuration.__typename === 'SyncConfiguration' ? (
          <>
            <Entry name="Reads">{configuration.syncType === 'FULL' ? 'everything' : 'what is new'}</Entry>
            <Entry name="Filter">
              {configuration.filter === null ? 'none' : <code className="break">{configuration.filter}</code>}
            </Entry>
            <Entry name="Rows of each source">
              {configuration.maxItems === null ? 'all' : `at most ${formatCount(configuration.maxItems)}`}
            </Entry>
          </>
        ) : (
          <>
            <Entry name="Parameters">
              {configuration.parameterNames.length === 0
                ? 'none'
                : configuration.parameterNames.map((name) => `:${name}`).join(', ')}
            </Entry>
            <Entry name="Marking">{configuration.classification ?? 'that of each row'}</Entry>
          </>
        )}
        {dataSources.length > 0 && (
          <Entry name="Data sources">
            <ul className="plain">
              {dataSources.map(({ id, name, fullTableName }) => (
                <li key={id}>
                  <Link to={`/sources/${uuidOf(id)}`}>{name}</Link>{' '}
                  <span className="faint mono break">{fullTableName}</span>
                </li>
              ))}
            </ul>
          </Entry>
        )}
        <Entry name="Batch">{formatCount(options.batchSize)} rows</Entry>
        <Entry name="Partition">at most {formatCount(options.partitionRows)} rows</Entry>
        <Entry name="Attempts">{formatCount(options.maxAttempts)}</Entry>
        <Entry name="Gives a source up">
          {options.maxErrors === null
            ? 'never for errors of items'
            : `after ${formatCount(options.maxErrors)} errors`}
        </Entry>
      </dl>
      {configuration.__typename === 'QueryConfiguration' && configuration.metadata !== null && (
        <>
          <h3>Metadata of its items</h3>
          <JsonView value={configuration.metadata} label="Metadata of its items" />
        </>
      )}
    </section>
  );
}

function Entry({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}
