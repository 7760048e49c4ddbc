import { getContent, parseStatements } from '../../../../sql-check/syntax-tree.ts';
import { innerTypes, structFields } from '../nested-types.ts';
import { readList } from '../nodes.ts';
import { refuseOnFolder } from '../refused.ts';
import { readType } from '../types.ts';

/** The schema of JSON, as `a INT, b STRING` or as one type. */
interface JsonSchema {
  readonly databricks: string;
  /** As DuckDB takes it to read JSON. */
  readonly duckDb: string;
}

/** Reads the schema of `from_json`. */
export function readSchema(text: string): JsonSchema {
  const type = readCastType(text) ?? readCastType(`STRUCT<${text}>`) ?? refuseOnFolder(`The schema ${text}`);
  const { databricks } = readType(type);
  return { databricks, duckDb: JSON.stringify(toStructure(databricks)) };
}

function readCastType(type: string): unknown {
  const parsed = parseStatements(`SELECT CAST(x AS ${type})`);
  const select = getContent(parsed.ok ? parsed.statements[0] : null, 'select');
  return getContent(readList(select.expressions)[0], 'cast').to ?? null;
}

function toStructure(type: string): unknown {
  const fields = structFields(type);
  if (fields !== null)
    return Object.fromEntries(fields.map(([name, field]) => [name, toStructure(field ?? 'STRING')]));
  if (type.startsWith('ARRAY')) return [toStructure(innerTypes(type)[0] ?? 'STRING')];
  const simple = {
    STRING: 'VARCHAR',
    INT: 'INTEGER',
    BIGINT: 'BIGINT',
    DOUBLE: 'DOUBLE',
    BOOLEAN: 'BOOLEAN',
    SMALLINT: 'SMALLINT',
    TINYINT: 'TINYINT',
  }[type];
  if (simple !== undefined) return simple;
  const [key, value] = innerTypes(type);
  if (type.startsWith('MAP') && key === 'STRING' && value !== null && value !== undefined) {
    const inner = toStructure(value);
    if (typeof inner === 'string') return `MAP(VARCHAR, ${inner})`;
  }
  return refuseOnFolder(`from_json() of ${type}`);
}
