import { formatMarking } from '../../shared/format-marking.ts';
import { JobOptionValues, JobSettings } from '../api/fragments/job.ts';
import { Fact, Facts } from '../details/facts.tsx';
import { Panel } from '../details/panel.tsx';
import { JsonView, TextView } from '../details/text-view.tsx';
import { formatAmount, formatCount } from '../format/format.ts';
import type { JobOptionValuesFragment, JobSettingsFragment } from '../generated/graphql.ts';
import { type FragmentType, readFragment } from '../generated/index.ts';
import { Mono } from '../parts/text.tsx';
import { SourceLink } from '../sources/source-link.tsx';

type Configuration<Type> = Extract<JobSettingsFragment['configuration'], { __typename: Type }>;

/** Shows what a job was started with. */
export function JobConfiguration({ job }: { job: FragmentType<typeof JobSettings> }) {
  const { dataType, dataSources, configuration } = readFragment(JobSettings, job);
  const isQuery = configuration.__typename === 'QueryConfiguration';
  return (
    <Panel title="Configuration">
      {isQuery && <TextView text={configuration.sqlQuery} label="Query" />}
      <Facts>
        <Fact name="Data type">{dataType ?? 'all'}</Fact>
        {isQuery && <QueryFacts configuration={configuration} />}
        {configuration.__typename === 'SyncConfiguration' && <SyncFacts configuration={configuration} />}
        {dataSources.length > 0 && (
          <Fact name="Data sources">
            <ul>
              {dataSources.map((source) => (
                <li key={source.id}>
                  <SourceLink source={source} withTable />
                </li>
              ))}
            </ul>
          </Fact>
        )}
        <OptionFacts options={readFragment(JobOptionValues, configuration.options)} />
      </Facts>
      {isQuery && configuration.metadata !== null && (
        <>
          <h3>Item metadata</h3>
          <JsonView value={configuration.metadata} label="Item metadata" />
        </>
      )}
    </Panel>
  );
}

function SyncFacts({ configuration }: { configuration: Configuration<'SyncConfiguration'> }) {
  const { syncType, filter, maxItems } = configuration;
  return (
    <>
      <Fact name="Sync type">{syncType === 'FULL' ? 'full' : 'incremental'}</Fact>
      <Fact name="Filter">{filter === null ? 'none' : <Mono>{filter}</Mono>}</Fact>
      <Fact name="Row limit per source">{maxItems === null ? 'none' : formatCount(maxItems)}</Fact>
    </>
  );
}

function QueryFacts({ configuration }: { configuration: Configuration<'QueryConfiguration'> }) {
  const { parameterNames, classification } = configuration;
  return (
    <>
      <Fact name="Parameters">
        {parameterNames.length === 0 ? 'none' : parameterNames.map((name) => `:${name}`).join(', ')}
      </Fact>
      <Fact name="Marking">{classification === null ? "each row's own" : formatMarking(classification)}</Fact>
    </>
  );
}

function OptionFacts({ options }: { options: JobOptionValuesFragment }) {
  const { batchSize, partitionRows, maxAttempts, maxErrors } = options;
  return (
    <>
      <Fact name="Batch size">{formatAmount(batchSize, 'row')}</Fact>
      <Fact name="Partition size">
        {partitionRows === null ? "the warehouse's default" : `up to ${formatAmount(partitionRows, 'row')}`}
      </Fact>
      <Fact name="Attempts">{formatCount(maxAttempts)}</Fact>
      <Fact name="Error limit per source">{maxErrors === null ? 'none' : formatCount(maxErrors)}</Fact>
    </>
  );
}
