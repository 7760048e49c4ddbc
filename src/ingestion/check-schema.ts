import type { DataTypes } from '../data-types/data-types.ts';
import type { OnSchemaChange } from '../database/generated/prisma/enums.ts';
import type { ColumnRename, TableColumn, TableHistory, Warehouse } from '../warehouse/warehouse.ts';
import {
  describeSchemaChanges,
  findBrokenColumn,
  findSchemaChanges,
  type SchemaChange,
  type TableSchema,
} from './table-schema.ts';

/** What a source expects of the schema of its table. */
export interface ExpectedSchema {
  /** What its last complete sync has seen, or was accepted; null before the first. */
  readonly known: TableSchema | null;
  readonly onChange: OnSchemaChange;
}

/** The schema that a sync has found, with what has changed since the last complete one. */
export interface FoundSchema extends TableSchema {
  readonly changes: readonly SchemaChange[];
}

/** The schema of a table has changed in a way that stops its source. */
export class SchemaChangedError extends Error {
  override readonly name = 'SchemaChangedError';
  readonly found: FoundSchema;

  constructor(message: string, found: FoundSchema) {
    super(message);
    this.found = found;
  }
}

/** What schemas are compared with. */
export interface SchemaContext {
  readonly warehouse: Pick<Warehouse, 'history'>;
  readonly dataTypes: DataTypes;
  readonly signal: AbortSignal;
}

/** A source whose table was described. */
export interface DescribedSource {
  /** Null to take the columns as they are. */
  readonly schema: ExpectedSchema | null;
  readonly dataType: string;
  readonly cursorColumn: string | null;
}

/**
 * Compares the columns of a table with those that its source expects.
 * @param version that of the table; null if it has none.
 * @returns null if nothing is expected or known of them, as of an empty file.
 * @throws SchemaChangedError if the source must not go on.
 */
export async function checkSchema(
  context: SchemaContext,
  { schema: expected, dataType, cursorColumn }: DescribedSource,
  columns: readonly TableColumn[],
  version: string | null,
): Promise<FoundSchema | null> {
  if (expected === null || isUnknown(columns)) return null;
  const { known, onChange } = expected;
  // What a warehouse without history calls a version says nothing later.
  const found = { columns, version: context.warehouse.history === undefined ? null : version };
  if (known === null) return { ...found, changes: [] };
  const changes = await compare(context, known, found);
  const schema = { ...found, changes };
  const identifyingColumns = context.dataTypes.find(dataType)?.identifyingColumns ?? [];
  const reason = findBrokenColumn(known.columns, changes, { cursorColumn, identifyingColumns });
  if (reason !== null)
    throw new SchemaChangedError(`The schema of the table has changed: ${reason}.`, schema);
  if (changes.length > 0 && onChange === 'PAUSE')
    throw new SchemaChangedError(
      `The schema of the table has changed: ${describeSchemaChanges(changes)}. Nothing was read, because onSchemaChange of the source is PAUSE: run acceptSchemaChange for the source, and sync it again.`,
      schema,
    );
  return schema;
}

/** Whether nothing is known of the columns of a table: a file of JSON without a line that has keys is one column of whole lines. */
export function isUnknown(columns: readonly TableColumn[]): boolean {
  const [only, ...others] = columns;
  return others.length === 0 && (only === undefined || (only.isInferred === true && only.type === 'VARIANT'));
}

async function compare(
  { warehouse: { history }, signal }: SchemaContext,
  known: TableSchema,
  found: TableSchema,
): Promise<readonly SchemaChange[]> {
  const changes = findSchemaChanges(known.columns, found.columns, []);
  const hasOtherNames = changes.some(({ kind }) => kind === 'ADDED' || kind === 'DROPPED');
  if (!hasOtherNames || history === undefined) return changes;
  const renames = await listRenames(history, known, found, signal);
  return findSchemaChanges(known.columns, found.columns, renames);
}

async function listRenames(
  history: TableHistory,
  { version: from }: TableSchema,
  { version: to }: TableSchema,
  signal: AbortSignal,
): Promise<readonly ColumnRename[]> {
  return from === null || to === null ? [] : ((await history.listRenames?.(from, to, signal)) ?? []);
}
