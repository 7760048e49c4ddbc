import { type DBSQLClient, thrift } from '@databricks/sql';
import type IResultsProvider from '@databricks/sql/dist/result/IResultsProvider.js';
import type ThriftOperationBackend from '@databricks/sql/dist/thrift-backend/ThriftOperationBackend.js';
import type {
  TGetResultSetMetadataResp,
  TRowSet,
  TSparkArrowResultLink,
} from '@databricks/sql/thrift/TCLIService_types.js';
import type { JsonValue } from '../../shared/json.ts';
import { distinctNames } from '../distinct-names.ts';
import { setKey } from '../value.ts';
import { type Row, WarehouseError } from '../warehouse.ts';
import { arrow, type RecordBatch } from './arrow.ts';
import { columnReader } from './arrow-value.ts';
import { ArrowResultHandler, CloudFetchResultHandler } from './driver.ts';
import { type ThriftColumn, thriftColumn } from './thrift-value.ts';

/** Some rows of a result, not converted yet. */
export interface Chunk {
  readonly rowCount: number;
  /** The rows from `first` up to and without `end`. */
  rows(first: number, end: number): Row[];
}

/** The pages of a result: each is what one request brings, cut into chunks as it is. */
export interface ResultPages {
  /** The next page, or null after the last. */
  next(): Promise<Iterable<Chunk> | null>;
}

/**
 * The rows of a finished statement in the form they come in. The driver fetches, downloads and unpacks them; only its
 * last step, to objects, is left out, as that rounds timestamps and nested numbers.
 * @param pageRows the most rows to ask for at once.
 */
export async function openPages(
  client: DBSQLClient,
  operation: ThriftOperationBackend.default,
  pageRows: number,
): Promise<ResultPages> {
  const metadata = await operation.thriftResultMetadataResponse();
  const source = checkedRowSets(operation.dataProvider);
  switch (metadata.resultFormat) {
    case TSparkRowSetType.ARROW_BASED_SET:
      return arrowPages(new ArrowResultHandler(client, source, metadata), pageRows);
    case TSparkRowSetType.URL_BASED_SET: {
      const atOnce = client.getConfig().cloudFetchConcurrentDownloads;
      return arrowPages(
        new CloudFetchResultHandler(client, linksAsNeeded(source, atOnce), metadata),
        pageRows,
      );
    }
    default:
      return columnPages(source, metadata, pageRows);
  }
}

const { TSparkRowSetType } = thrift.TCLIService_types;

type RowSets = IResultsProvider.default<TRowSet | undefined>;

/** Makes sure that a request that was sent again did not skip the rows of an answer that was lost on its way. */
function checkedRowSets(source: RowSets): RowSets {
  let expected = 0;
  return {
    hasMore: () => source.hasMore(),
    async fetchNext(options) {
      const rowSet = await source.fetchNext(options);
      if (rowSet === undefined) return undefined;
      const rows = rowCountOf(rowSet);
      const start = Number(rowSet.resultLinks?.[0]?.startRowOffset ?? rowSet.startRowOffset);
      if (rows > 0 && start > expected)
        throw new WarehouseError('INTERRUPTED', 'The connection broke, and a part of the result was lost.');
      expected += rows;
      return rowSet;
    },
  };
}

function rowCountOf({ arrowBatches, resultLinks, columns }: TRowSet): number {
  const counted = [...(arrowBatches ?? []), ...(resultLinks ?? [])];
  if (counted.length > 0) return counted.reduce((sum, { rowCount }) => sum + Number(rowCount), 0);
  return columns?.[0] === undefined ? 0 : thriftColumn(columns[0], undefined).length;
}

/**
 * Hands links out as they are downloaded. The driver would gather the links of a whole result first, and links end
 * after some minutes.
 */
function linksAsNeeded(source: RowSets, atOnce: number): RowSets {
  let waiting: TSparkArrowResultLink[] = [];
  let underWay = 0;
  return {
    async hasMore() {
      return waiting.length > 0 || (await source.hasMore());
    },
    async fetchNext(options) {
      while (waiting.length === 0 && (await source.hasMore())) {
        const rowSet = await source.fetchNext(options);
        waiting = [...(rowSet?.resultLinks ?? [])];
      }
      const resultLinks = waiting.splice(0, atOnce - underWay);
      // Each call of the driver starts these downloads and takes the first that is under way.
      underWay = Math.max(underWay + resultLinks.length - 1, 0);
      return rowSetOf(resultLinks);
    },
  };
}

function rowSetOf(resultLinks: TSparkArrowResultLink[]): TRowSet | undefined {
  const startRowOffset = resultLinks[0]?.startRowOffset;
  if (startRowOffset === undefined) return undefined;
  return new thrift.TCLIService_types.TRowSet({ startRowOffset, rows: [], resultLinks });
}

interface ArrowPage {
  readonly batches: Buffer[];
  readonly rowCount: number;
}

function arrowPages(source: IResultsProvider.default<ArrowPage>, pageRows: number): ResultPages {
  return {
    async next() {
      while (await source.hasMore()) {
        const page = await source.fetchNext({ limit: pageRows });
        if (page.rowCount > 0) return arrowChunks(page);
      }
      return null;
    },
  };
}

function* arrowChunks({ batches, rowCount }: ArrowPage): Generator<Chunk, void, undefined> {
  let remaining = rowCount;
  for (const batch of arrow.RecordBatchReader.from(batches)) {
    // A batch may hold more rows than belong to the result.
    const rows = Math.min(batch.numRows, remaining);
    remaining -= rows;
    if (rows > 0) yield arrowChunk(batch, rows);
  }
  if (remaining > 0) throw new WarehouseError('INTERRUPTED', 'A part of the result did not arrive.');
}

function arrowChunk(batch: RecordBatch, rowCount: number): Chunk {
  const { fields } = batch.schema;
  const names = distinctNames(fields.map((field) => field.name));
  const columns = fields.flatMap((field, index) => {
    const data = batch.data.children[index];
    const name = names[index];
    return data === undefined || name === undefined ? [] : [{ name, read: columnReader(data, field) }];
  });
  return { rowCount, rows: (first, end) => rowsOf(columns, first, end) };
}

function columnPages(source: RowSets, metadata: TGetResultSetMetadataResp, pageRows: number): ResultPages {
  const descriptions = [...(metadata.schema?.columns ?? [])].sort(
    (left, right) => left.position - right.position,
  );
  const names = distinctNames(descriptions.map(({ columnName }) => columnName));
  return {
    async next() {
      while (await source.hasMore()) {
        const columns = (await source.fetchNext({ limit: pageRows }))?.columns ?? [];
        const readable = columns.map((column, index) => thriftColumn(column, descriptions[index]));
        if ((readable[0]?.length ?? 0) > 0) return [columnChunk(readable, names)];
      }
      return null;
    },
  };
}

function columnChunk(columns: readonly ThriftColumn[], names: readonly string[]): Chunk {
  const named = columns.map(({ read }, index) => ({ name: names[index] ?? '', read }));
  return { rowCount: columns[0]?.length ?? 0, rows: (first, end) => rowsOf(named, first, end) };
}

interface NamedColumn {
  readonly name: string;
  readonly read: (index: number) => JsonValue;
}

function rowsOf(columns: readonly NamedColumn[], first: number, end: number): Row[] {
  const rows: Record<string, JsonValue>[] = [];
  for (let index = first; index < end; index += 1) rows.push({});
  for (const { name, read } of columns) {
    const isSpecial = name === '__proto__';
    rows.forEach((row, index) => {
      const value = read(first + index);
      if (isSpecial) setKey(row, name, value);
      else row[name] = value;
    });
  }
  return rows;
}
