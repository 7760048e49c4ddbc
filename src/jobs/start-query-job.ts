import type { Principal } from '../access/principal.ts';
import { type Marking, pickHigherMarking } from '../data-types/marking.ts';
import type { DataSource, Prisma } from '../database/generated/prisma/client.ts';
import { asciiLowerCase } from '../shared/ascii-case.ts';
import { sourceTable } from '../sources/source-table.ts';
import type { TableName } from '../warehouse/warehouse.ts';
import { createJob, describeAnew, type JobStarter, type StartedJob } from './create-job.ts';
import type { StartQueryJobInput } from './input/start-query-job-input.ts';
import type { NewJob, NewPartition } from './insert-job.ts';
import { toPartition } from './source-partitions.ts';
import { describeStartRequest } from './start-request.ts';

/**
 * Starts a job that ingests the rows of one SELECT as items of a data type.
 * @param least the default marking of the data type: the job, and so each of its items, is marked at least as high.
 */
export async function startQueryJob(
  starter: JobStarter,
  principal: Principal,
  input: StartQueryJobInput,
  least: Marking,
): Promise<StartedJob> {
  const request = describeStartRequest('startQueryJob', input);
  return describeAnew(async () => {
    const sources = await starter.prisma.dataSource.findMany({
      where: { dataType: input.dataType },
      select: { id: true, name: true, dataType: true, catalogName: true, schemaName: true, tableName: true },
    });
    return createJob(starter, principal, describeQueryJob(input, sources, least), request);
  });
}

function describeQueryJob(
  input: StartQueryJobInput,
  sources: readonly QuerySource[],
  least: Marking,
): NewJob {
  return {
    job: {
      kind: 'QUERY',
      dataType: input.dataType,
      sqlQuery: input.sqlQuery,
      parameters: input.parameters,
      classification: input.catalogConfig.classification,
      reason: input.catalogConfig.reason,
      marking: pickHigherMarking(input.catalogConfig.classification ?? least, least),
      ...(input.catalogConfig.metadata === null
        ? {}
        : { metadata: input.catalogConfig.metadata as Prisma.InputJsonObject }),
      options: input.options,
      labels: input.labels,
    },
    partitions: [createQueryPartition(input, sources)],
    operation: 'startQueryJob',
    // Its statement is with the job, for those who may see that.
    details: {
      dataType: input.dataType,
      classification: input.catalogConfig.classification,
      parameterNames: Object.keys(input.parameters).sort(),
      labels: input.labels,
    },
  };
}

type QuerySource = Pick<DataSource, 'id' | 'name' | 'dataType' | 'catalogName' | 'schemaName' | 'tableName'>;

/**
 * Creates the partition of a query. Its items belong to the source of their data type whose table it reads; to none if it
 * reads tables of no such source, or of several.
 */
function createQueryPartition(
  { dataType, tables }: Pick<StartQueryJobInput, 'dataType' | 'tables'>,
  sources: readonly QuerySource[],
): NewPartition {
  const read = new Set(tables.map(toComparable));
  const [source, ...others] = sources.filter((candidate) => read.has(toComparable(sourceTable(candidate))));
  if (source !== undefined && others.length === 0) return toPartition(source);
  return { dataType, dataSourceId: null, sourceName: describeTables(tables) };
}

/** Writes the name of a table so that equal tables give equal texts: the warehouse ignores case. */
function toComparable({ catalog, schema, table }: TableName): string {
  return JSON.stringify([catalog, schema, table].map(asciiLowerCase));
}

/** Names the tables of a query that belongs to no source: `ops.plans.sortie, ops.plans.base and 2 more`. */
function describeTables(tables: readonly TableName[]): string {
  if (tables.length === 0) return 'a query without tables';
  const names = tables
    .slice(0, MAX_NAMED_TABLES)
    .map(({ catalog, schema, table }) => `${catalog}.${schema}.${table}`);
  const left = tables.length - names.length;
  return left === 0 ? names.join(', ') : `${names.join(', ')} and ${left} more`;
}

const MAX_NAMED_TABLES = 3;
