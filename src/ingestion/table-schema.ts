import { z } from 'zod';
import { asciiLowerCase } from '../shared/ascii-case.ts';
import type { ColumnRename, TableColumn } from '../warehouse/warehouse.ts';

const columnSchema = z.object({
  name: z.string(),
  type: z.string(),
  comment: z.string().nullish(),
  isNullable: z.boolean().nullish(),
  isInferred: z.boolean().optional(),
});

/** A schema as it is stored with a source. */
export const tableSchemaSchema = z.object({
  columns: z.array(columnSchema),
  /** The version of the table that has it, as the warehouse writes it; null for a table without versions. */
  version: z.string().nullable(),
});

/** The columns of a table, as a sync has seen them. */
export interface TableSchema {
  readonly columns: readonly TableColumn[];
  readonly version: string | null;
}

/** A change of the schema of a table, as it is stored with the source and the event. */
export const schemaChangeSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ADDED'), column: z.string(), type: z.string() }),
  z.object({ kind: z.literal('DROPPED'), column: z.string(), type: z.string() }),
  z.object({ kind: z.literal('RETYPED'), column: z.string(), type: z.string(), newType: z.string() }),
  z.object({ kind: z.literal('RENAMED'), column: z.string(), newName: z.string() }),
]);

export type SchemaChange = z.output<typeof schemaChangeSchema>;

/**
 * Finds what has changed between two schemas of a table. Names are compared in any case, and types by their whole texts, unless
 * they were inferred from cells.
 * @param renames what the table says was renamed in between, in order.
 */
export function findSchemaChanges(
  before: readonly TableColumn[],
  after: readonly TableColumn[],
  renames: readonly ColumnRename[],
): readonly SchemaChange[] {
  const present = new Map(after.map((column) => [asciiLowerCase(column.name), column]));
  const kept = new Set<string>();
  const changes: SchemaChange[] = [];
  for (const { name: column, type, isInferred = false } of before) {
    const name = applyRenames(column, renames);
    const found = present.get(asciiLowerCase(name));
    if (found === undefined) {
      changes.push({ kind: 'DROPPED', column, type });
      continue;
    }
    kept.add(asciiLowerCase(name));
    if (asciiLowerCase(name) !== asciiLowerCase(column))
      changes.push({ kind: 'RENAMED', column, newName: found.name });
    if (found.type !== type && !isInferred && found.isInferred !== true)
      changes.push({ kind: 'RETYPED', column: found.name, type, newType: found.type });
  }
  for (const { name: column, type } of after)
    if (!kept.has(asciiLowerCase(column))) changes.push({ kind: 'ADDED', column, type });
  return changes;
}

function applyRenames(column: string, renames: readonly ColumnRename[]): string {
  return renames.reduce(
    (name, { from, to }) => (asciiLowerCase(name) === asciiLowerCase(from) ? to : name),
    column,
  );
}

/** Describes changes in one line. */
export function describeSchemaChanges(changes: readonly SchemaChange[]): string {
  return changes.map(describeSchemaChange).join(', ');
}

/** Describes a change in a few words. */
export function describeSchemaChange(change: SchemaChange): string {
  switch (change.kind) {
    case 'ADDED':
      return `${change.column} ${change.type} added`;
    case 'DROPPED':
      return `${change.column} ${change.type} dropped`;
    case 'RETYPED':
      return `${change.column} changed from ${change.type} to ${change.newType}`;
    case 'RENAMED':
      return `${change.column} renamed to ${change.newName}`;
  }
}

/** What a source depends on in its table. */
export interface NeededColumns {
  readonly cursorColumn: string | null;
  /** The columns that identify a row; the first has the ids of items, unless the table lacks it. */
  readonly identifyingColumns: readonly string[];
}

/**
 * Finds why a source cannot go on with a changed schema: a column that its items or its watermark depend on is another one.
 * @returns a sentence with what to do, without its full stop; null if it can.
 */
export function findBrokenColumn(
  before: readonly TableColumn[],
  changes: readonly SchemaChange[],
  { cursorColumn, identifyingColumns }: NeededColumns,
): string | null {
  for (const change of changes) {
    if (change.kind === 'ADDED') continue;
    if (isSame(change.column, cursorColumn)) return describeCursor(change);
    if (listIdColumns(before, identifyingColumns).some((name) => isSame(change.column, name)))
      return describeId(change);
  }
  return null;
}

function listIdColumns(
  before: readonly TableColumn[],
  [id, ...others]: readonly string[],
): readonly string[] {
  if (id === undefined) return [];
  return before.some(({ name }) => isSame(name, id)) ? [id] : others;
}

function isSame(one: string, other: string | null): boolean {
  return other !== null && asciiLowerCase(one) === asciiLowerCase(other);
}

type Broken = Exclude<SchemaChange, { kind: 'ADDED' }>;

function describeCursor(change: Broken): string {
  switch (change.kind) {
    case 'DROPPED':
      return `the table has no cursor column ${change.column} any more: bring it back, or set cursorColumn of the source to another column or to null`;
    case 'RENAMED':
      return `the cursor column ${change.column} is now called ${change.newName}: set cursorColumn of the source to it`;
    case 'RETYPED':
      return `the cursor column ${change.column} was ${change.type} and is now ${change.newType}: if it still grows with each new row, run acceptSchemaChange for the source, and the next INCREMENTAL sync reads all rows if their order is another one. Otherwise set another cursorColumn`;
  }
}

function describeId(change: Broken): string {
  const remedy =
    'or run acceptSchemaChange for the source: its items then get other ids, and those that they have now stay until they are deleted';
  switch (change.kind) {
    case 'DROPPED':
      return `the table has no column ${change.column} any more, which identifies its items: bring it back, ${remedy}`;
    case 'RENAMED':
      return `the column ${change.column}, which identifies the items, is now called ${change.newName}: rename it back, read a view that calls it ${change.column}, ${remedy}`;
    case 'RETYPED':
      return `the column ${change.column}, which identifies the items, was ${change.type} and is now ${change.newType}: change it back, or run acceptSchemaChange for the source. Items whose ids read otherwise as text are then stored again under another id`;
  }
}
