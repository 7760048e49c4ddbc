import { thrift } from '@databricks/sql';
import type IResultsProvider from '@databricks/sql/dist/result/IResultsProvider.js';
import type ThriftOperationBackend from '@databricks/sql/dist/thrift-backend/ThriftOperationBackend.js';
import type {
  TGetResultSetMetadataResp,
  TRowSet,
  TSparkArrowResultLink,
} from '@databricks/sql/thrift/TCLIService_types.js';
import { makeNamesDistinct } from '../distinct-names.ts';
import { type ArrowPage, createMissingRowsError, readArrowChunks } from '../spark-sql/arrow-chunk.ts';
import { type Chunk, createChunk } from '../spark-sql/chunk.ts';
import { WarehouseError } from '../warehouse.ts';
import { ArrowResultHandler, CloudFetchResultHandler } from './driver.ts';
import type { DatabricksSessions } from './session.ts';
import { createThriftColumn, isTextColumn, type ThriftColumn } from './thrift-value.ts';

/** The pages of a result. Each page is the answer to one request, in chunks. */
export interface ResultPages {
  /** Returns the next page; null after the last. */
  next(): Promise<Iterable<Chunk> | null>;
}

/**
 * Opens the result of a finished statement. The driver fetches, downloads and unpacks it; only its last step, the conversion
 * to objects, is skipped, because that rounds timestamps and nested numbers.
 * @param pageRows the maximum number of rows per request.
 */
export async function openPages(
  sessions: Pick<DatabricksSessions, 'client' | 'repeatedRequests'>,
  operation: ThriftOperationBackend.default,
  pageRows: number,
): Promise<ResultPages> {
  const { client } = sessions;
  const metadata = await operation.thriftResultMetadataResponse();
  const announced = createCheckedRowSets(operation.dataProvider, sessions);
  switch (metadata.resultFormat) {
    case TSparkRowSetType.ARROW_BASED_SET:
      return createCompletePages(
        announced,
        createArrowPages(new ArrowResultHandler(client, announced, metadata), pageRows),
      );
    case TSparkRowSetType.URL_BASED_SET: {
      const links = createLinkSource(announced, client.getConfig().cloudFetchConcurrentDownloads);
      return createCompletePages(
        announced,
        createArrowPages(new CloudFetchResultHandler(client, links, metadata), pageRows),
      );
    }
    default:
      return createCompletePages(announced, createColumnPages(announced, metadata, pageRows));
  }
}

const { TSparkRowSetType } = thrift.TCLIService_types;

type RowSets = IResultsProvider.default<TRowSet | undefined>;

interface AnnouncedRowSets extends RowSets {
  /** The number of rows that the warehouse has announced. */
  readonly rowCount: number;
}

/**
 * Detects skipped rows. The warehouse sends each page only once, so a request repeated after a lost answer returns the page
 * after that or, if it was the last, an empty page like the one at the end.
 */
function createCheckedRowSets(
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
      for (const { start, rows } of listPieces(rowSet)) {
        const isUnproven = rows === 0 && start !== rowCount && sessions.repeatedRequests > repeatedBefore;
        if (start > rowCount || isUnproven) throw createLostRowsError();
        rowCount += rows;
      }
      return rowSet;
    },
  };
}

function createLostRowsError(): WarehouseError {
  return new WarehouseError('INTERRUPTED', 'The connection broke, and a part of the result was lost.');
}

/** Lists the parts of a page, with their position in the result and their number of rows. */
function listPieces(rowSet: TRowSet): { start: number; rows: number }[] {
  const links = rowSet.resultLinks ?? [];
  return links.length === 0
    ? [{ start: Number(rowSet.startRowOffset), rows: countRows(rowSet) }]
    : links.map(({ startRowOffset, rowCount }) => ({
        start: Number(startRowOffset),
        rows: Number(rowCount),
      }));
}

function countRows({ arrowBatches, columns }: TRowSet): number {
  if (arrowBatches != null && arrowBatches.length > 0)
    return arrowBatches.reduce((sum, { rowCount }) => sum + Number(rowCount), 0);
  return columns?.[0] === undefined ? 0 : createThriftColumn(columns[0], undefined).length;
}

/**
 * Hands out links as they are downloaded. The driver would first collect the links of the whole result, but links expire
 * after a few minutes.
 */
function createLinkSource(source: RowSets, atOnce: number): RowSets {
  let waiting: TSparkArrowResultLink[] = [];
  let activeDownloads = 0;
  return {
    async hasMore() {
      return waiting.length > 0 || (await source.hasMore());
    },
    async fetchNext(options) {
      while (waiting.length === 0 && (await source.hasMore())) {
        const rowSet = await source.fetchNext(options);
        waiting = [...(rowSet?.resultLinks ?? [])];
      }
      const resultLinks = waiting.splice(0, atOnce - activeDownloads);
      // Each call of the driver starts these downloads and takes the first active one.
      activeDownloads = Math.max(activeDownloads + resultLinks.length - 1, 0);
      return toRowSet(resultLinks);
    },
  };
}

function toRowSet(resultLinks: TSparkArrowResultLink[]): TRowSet | undefined {
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

/** Checks at the end that all announced rows arrived. */
function createCompletePages(announced: AnnouncedRowSets, pages: Pages): ResultPages {
  let delivered = 0;
  return {
    async next() {
      const page = await pages.next();
      delivered += page?.rowCount ?? 0;
      if (page === null && delivered < announced.rowCount) throw createMissingRowsError();
      return page?.chunks ?? null;
    },
  };
}

function createArrowPages(source: IResultsProvider.default<ArrowPage>, pageRows: number): Pages {
  return {
    async next() {
      while (await source.hasMore()) {
        const page = await source.fetchNext({ limit: pageRows });
        if (page.rowCount > 0) return { rowCount: page.rowCount, chunks: readArrowChunks(page) };
      }
      return null;
    },
  };
}

function createColumnPages(source: RowSets, metadata: TGetResultSetMetadataResp, pageRows: number): Pages {
  const descriptions = [...(metadata.schema?.columns ?? [])].sort(
    (left, right) => left.position - right.position,
  );
  const names = makeNamesDistinct(descriptions.map(({ columnName }) => columnName));
  const textColumns = names.filter((_name, index) => isTextColumn(descriptions[index]));
  return {
    async next() {
      while (await source.hasMore()) {
        const columns = (await source.fetchNext({ limit: pageRows }))?.columns ?? [];
        const readable = columns.map((column, index) => createThriftColumn(column, descriptions[index]));
        const rowCount = readable[0]?.length ?? 0;
        if (rowCount > 0) return { rowCount, chunks: [toColumnChunk(readable, names, textColumns)] };
      }
      return null;
    },
  };
}

function toColumnChunk(
  columns: readonly ThriftColumn[],
  names: readonly string[],
  textColumns: readonly string[],
): Chunk {
  const named = columns.map(({ read }, index) => ({ name: names[index] ?? '', read }));
  return createChunk(named, textColumns, columns[0]?.length ?? 0);
}
