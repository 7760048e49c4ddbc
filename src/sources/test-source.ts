import type { DataTypes } from '../data-types/data-types.ts';
import type { DataSource, PrismaClient } from '../database/generated/prisma/client.ts';
import { isUnknown } from '../ingestion/check-schema.ts';
import { describeSchemaChanges, findSchemaChanges } from '../ingestion/table-schema.ts';
import type { ThreadPool } from '../ingestion/thread-pool.ts';
import { asciiLowerCase } from '../shared/ascii-case.ts';
import type { TableColumn } from '../warehouse/warehouse.ts';
import { readTableSchema } from './found-schema.ts';
import { DataSourceNotFoundError } from './source-errors.ts';
import { sourceTable } from './source-table.ts';

/** The result of testing a source. */
export type DataSourceTest =
  | {
      readonly isReadable: true;
      readonly source: DataSource;
      readonly columns: readonly TableColumn[];
      /** Columns of the data type that the table lacks. */
      readonly missingColumns: readonly string[];
      /** Columns that the data type does not define; they are kept as they are. */
      readonly surplusColumns: readonly string[];
      /** Null if the caller is not cleared for all rows. */
      readonly rowCount: number | null;
      /** Problems that a sync would have, the most serious first. */
      readonly warnings: readonly string[];
    }
  | { readonly isReadable: false; readonly source: DataSource; readonly message: string };

/** What a source is tested with. */
export interface TestingParts {
  readonly prisma: PrismaClient;
  readonly pool: ThreadPool;
  readonly dataTypes: DataTypes;
  /** Whether the caller is cleared for all rows. */
  readonly seesAllRows: boolean;
}

/**
 * Checks that a source can be read and that its table fits its data type.
 * @throws DataSourceNotFoundError.
 */
export async function testDataSource(
  { prisma, pool, dataTypes, seesAllRows }: TestingParts,
  sourceId: string,
): Promise<DataSourceTest> {
  const source = await prisma.dataSource.findUnique({ where: { id: sourceId } });
  if (source === null) throw new DataSourceNotFoundError(sourceId);
  const { dataType: dataTypeName, cursorColumn, lookback } = source;
  const watermark =
    source.watermark === null ? null : { value: source.watermark, type: source.watermarkType };
  const table = sourceTable(source);
  const described = await pool.describeTable({
    ...{ table, dataType: dataTypeName, cursorColumn, watermark, lookback },
  });
  if (!described.ok) return { isReadable: false, source, message: described.message };

  const { columns, rowCount, problems } = described;
  const dataType = dataTypes.find(source.dataType);
  const known = new Set(dataType?.columns.map(({ name }) => name));
  const found = new Set(columns.map(({ name }) => asciiLowerCase(name)));
  const warnings: string[] = [];
  if (dataType !== undefined && !dataType.identifyingColumns.some((name) => found.has(name))) {
    warnings.push(
      `the table has none of the columns that identify an item (${dataType.identifyingColumns.join(', ')}): every row would fail`,
    );
  }
  const schema = readTableSchema(source.tableSchema);
  const changes = schema === null || isUnknown(columns) ? [] : findSchemaChanges(schema.columns, columns, []);
  if (changes.length > 0)
    warnings.push(`the schema has changed since the last sync: ${describeSchemaChanges(changes)}`);
  const shown = problems.filter(({ isAboutRows }) => seesAllRows || !isAboutRows);
  warnings.push(...shown.map(({ message }) => message));
  return {
    isReadable: true,
    source,
    columns,
    missingColumns: [...known].filter((name) => !found.has(name)),
    surplusColumns: columns.map(({ name }) => name).filter((name) => !known.has(asciiLowerCase(name))),
    rowCount: seesAllRows ? rowCount : null,
    warnings,
  };
}
