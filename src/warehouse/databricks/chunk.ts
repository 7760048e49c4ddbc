import { thrift } from '@databricks/sql';
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
import type { DatabricksSessions } from './session.ts';
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
  sessions: Pick<DatabricksSessions, 'client' | 'repeatedRequests'>,
  operation: ThriftOperationBackend.default,
  pageRows: number,
): Promise<ResultPages> {
  const { client } = sessions;
  const metadata = await operation.thriftResultMetadataResponse();
  const announced = checkedRowSets(operation.dataProvider, sessions);
  switch (metadata.resultFormat) {
    case TSparkRowSetType.ARROW_BASED_SET:
      return wholePages(announced, arrowPages(new ArrowResultHandler(client, announced, metadata), pageRows));
    case TSparkRowSetType.URL_BASED_SET: {
      const links = linksAsNeeded(announced, client.getConfig().cloudFetchConcurrentDownloads);
      return wholePages(
        announced,
        arrowPages(new CloudFetchResultHandler(client, links, metadata), pageRows),
      );
    }
    default:
      return wholePages(announced, columnPages(announced, metadata, pageRows));
  }
}

const { TSparkRowSetType } = thrift.TCLIService_types;

type RowSets = IResultsProvider.default<TRowSet | undefined>;

interface AnnouncedRowSets extends RowSets {
  /** How many rows the warehouse has said that it sends. */
  readonly rowCount: number;
}

/**
 * Makes sure that no rows are skipped. The warehouse gives each page once, so that a request which is sent again after its
 * answer was lost brings the page behind that one, or, where it was the last, an empty one like that at the end.
 */
function checkedRowSets(
  source: RowSets,
  sessions: Pick<DatabricksSessions, 'repeatedRequests'>,
): AnnouncedRowSets {
  let rowCount = 0;
  return {
    get rowCount() {
      return rowCount;
    },
    hasMore: () => source.hasMore(),
    async fetchNext(options) {
      const repeatedBefore = sessions.repeatedRequests;
      const rowSet = await source.fetchNext(options);
      if (rowSet === undefined) return undefined;
      for (const { start, rows } of piecesOf(rowSet)) {
        const isUnproven = rows === 0 && start !== rowCount && sessions.repeatedRequests > repeatedBefore;
        if (start > rowCount || isUnproven) throw lostRows();
        rowCount += rows;
      }
      return rowSet;
    },
  };
}

function lostRows(): WarehouseError {
  return new WarehouseError('INTERRUPTED', 'The connection broke, and a part of the result was lost.');
}

/** Where each part of a page stands in the result, and how many rows it has. */
function piecesOf(rowSet: TRowSet): { start: number; rows: number }[] {
  const links = rowSet.resultLinks ?? [];
  return links.length === 0
    ? [{ start: Number(rowSet.startRowOffset), rows: rowCountOf(rowSet) }]
    : links.map(({ startRowOffset, rowCount }) => ({
        start: Number(startRowOffset),
        rows: Number(rowCount),
      }));
}

function rowCountOf({ arrowBatches, columns }: TRowSet): number {
  if (arrowBatches != null && arrowBatches.length > 0)
    return arrowBatches.reduce((sum, { rowCount }) => sum + Number(rowCount), 0);
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

interface Page {
  readonly rowCount: number;
  readonly chunks: Iterable<Chunk>;
}

interface Pages {
  next(): Promise<Page | null>;
}

/** Makes sure at the end that every row came that was announced. */
function wholePages(announced: AnnouncedRowSets, pages: Pages): ResultPages {
  let delivered = 0;
  return {
    async next() {
      const page = await pages.next();
      delivered += page?.rowCount ?? 0;
      if (page === null && delivered < announced.rowCount) throw missingRows();
      return page?.chunks ?? null;
    },
  };
}

function missingRows(): WarehouseError {
  return new WarehouseError('INTERRUPTED', 'A part of the result did not arrive.');
}

interface ArrowPage {
  readonly batches: Buffer[];
  readonly rowCount: number;
}

function arrowPages(source: IResultsProvider.default<ArrowPage>, pageRows: number): Pages {
  return {
    async next() {
      while (await source.hasMore()) {
        const page = await source.fetchNext({ limit: pageRows });
        if (page.rowCount > 0) return { rowCount: page.rowCount, chunks: arrowChunks(page) };
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
  if (remaining > 0) throw missingRows();
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

function columnPages(source: RowSets, metadata: TGetResultSetMetadataResp, pageRows: number): Pages {
  const descriptions = [...(metadata.schema?.columns ?? [])].sort(
    (left, right) => left.position - right.position,
  );
  const names = distinctNames(descriptions.map(({ columnName }) => columnName));
  return {
    async next() {
      while (await source.hasMore()) {
        const columns = (await source.fetchNext({ limit: pageRows }))?.columns ?? [];
        const readable = columns.map((column, index) => thriftColumn(column, descriptions[index]));
        const rowCount = readable[0]?.length ?? 0;
        if (rowCount > 0) return { rowCount, chunks: [columnChunk(readable, names)] };
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
