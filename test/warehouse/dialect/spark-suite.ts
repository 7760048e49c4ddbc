import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Reads the SELECTs of Spark's own SQL tests, from the folder with the results that Spark publishes of them. A statement
 * comes with the views and the tables that its file makes of VALUES, as the first part of it.
 * @param folder `sql-tests/results` of the jar of Spark's tests.
 */
export function readSparkSuite(folder: string): readonly string[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.sql.out'))
    .sort();
  return [...new Set(files.flatMap((path) => readFile(join(folder, path))))];
}

/** What a name in a statement stands for. */
interface Relation {
  readonly name: string;
  /** The names of its columns in parentheses; empty if its SELECT names them. */
  readonly columns: string;
  readonly select: string;
}

function readFile(path: string): readonly string[] {
  const relations = new Map<string, Relation>();
  const tables = new Map<string, Table>();
  const statements: string[] = [];
  for (const query of readQueries(readFileSync(path, 'utf8'))) {
    const view = VIEW.exec(query)?.groups;
    const table = TABLE.exec(query)?.groups;
    const rows = INSERT.exec(query)?.groups;
    const dropped = DROP.exec(query)?.groups?.name;
    if (view?.name !== undefined) {
      const { name, columns = '', select = '' } = view;
      relations.delete(name.toLowerCase());
      relations.set(name.toLowerCase(), { name, columns, select });
    } else if (table?.name !== undefined) {
      const { name, columns = '' } = table;
      tables.set(name.toLowerCase(), { name, columns: splitColumns(columns), rows: [] });
      relations.delete(name.toLowerCase());
    } else if (rows?.name !== undefined) {
      const name = rows.name.toLowerCase();
      const known = tables.get(name);
      if (known === undefined) continue;
      const filled = { ...known, rows: [...known.rows, rows.rows ?? ''] };
      tables.set(name, filled);
      relations.delete(name);
      relations.set(name, { name: known.name, columns: '', select: selectRows(filled) });
    } else if (dropped !== undefined) {
      relations.delete(dropped.toLowerCase());
      tables.delete(dropped.toLowerCase());
    } else if (SELECT.test(query)) {
      statements.push(addRelations(query, [...relations.values()]));
    }
  }
  return statements;
}

const NAME = '[a-z_][a-z_0-9]*';
const VIEW = new RegExp(
  `^create\\s+(?:or\\s+replace\\s+)?(?:global\\s+)?(?:temp(?:orary)?\\s+)?view\\s+(?:if\\s+not\\s+exists\\s+)?(?<name>${NAME})\\s*(?<columns>\\([^()]*\\))?\\s+as\\s+(?<select>.*)$`,
  'is',
);
const TABLE = new RegExp(
  `^create\\s+table\\s+(?:if\\s+not\\s+exists\\s+)?(?<name>${NAME})\\s*\\((?<columns>.*?)\\)\\s*(?:using\\s+\\w+)?\\s*$`,
  'is',
);
const INSERT = new RegExp(
  `^insert\\s+into\\s+(?:table\\s+)?(?<name>${NAME})\\s+values\\s*(?<rows>.*)$`,
  'is',
);
const DROP = new RegExp(`^drop\\s+(?:table|view)\\s+(?:if\\s+exists\\s+)?(?<name>${NAME})\\s*$`, 'is');
const SELECT = /^(?:select|with|values|\(|from)\b|^\(/i;

function readQueries(text: string): readonly string[] {
  return text
    .split(/^-- !query\n/m)
    .slice(1)
    .map((block) =>
      (block.split(/^-- !query (?:schema|analysis|output)/m)[0] ?? '')
        .replace(/^(?:\s*--[^\n]*\n)+/, '')
        .trim(),
    );
}

interface Table {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly string[];
}

function splitColumns(text: string): Table['columns'] {
  return text.split(/,(?![^(<]*[)>])/).map((column) => {
    const [name = '', ...type] = column.trim().split(/\s+/);
    return { name, type: type.join(' ').replace(/\s+(?:not null|default\b.*)$/i, '') };
  });
}

function selectRows({ columns, rows }: Table): string {
  const cells = columns.map(({ name, type }, index) => `CAST(col${index + 1} AS ${type}) AS ${name}`);
  return `SELECT ${cells.join(', ')} FROM VALUES ${rows.join(', ')}`;
}

/** Puts the relations that a statement names, and those that they name, in front of it. */
function addRelations(statement: string, relations: readonly Relation[]): string {
  const needed: Relation[] = [];
  let text = statement;
  for (const relation of relations.toReversed()) {
    if (!new RegExp(`\\b${relation.name}\\b`, 'i').test(text)) continue;
    needed.unshift(relation);
    text += ` ${relation.select}`;
  }
  if (needed.length === 0) return statement;
  const parts = needed.map(({ name, columns, select }) => `${name}${columns} AS (${select}\n)`).join(', ');
  const own = /^with\s+(?!recursive\b)/i;
  return own.test(statement) ? `WITH ${parts}, ${statement.replace(own, '')}` : `WITH ${parts} ${statement}`;
}
