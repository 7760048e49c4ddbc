import { asciiLowerCase } from '../../../shared/ascii-case.ts';
import { isObject } from '../../../shared/json.ts';
import { getContent, getKind, type SyntaxNode } from '../../../sql-check/syntax-tree.ts';
import type { Call } from './call.ts';
import { FUNCTIONS } from './functions.ts';
import { readList, readObjects } from './nodes.ts';
import { refuseFunction, refuseOnFolder } from './refused.ts';
import type { ExpressionWriter, Written } from './written.ts';

type Parts = Omit<Call, 'writer' | 'args' | 'filter' | 'over' | 'window'> & {
  readonly filters: readonly unknown[];
  readonly spec: SyntaxNode | null;
};

const TAKES_INTERVAL: ReadonlySet<string> = new Set(['try_add', 'try_subtract', 'sequence']);

/** Writes a call; null where the node is none. */
export function writeCall(
  writer: ExpressionWriter,
  node: unknown,
  { condition = null }: { condition?: string | null },
): Written | null {
  const parts = readParts(node);
  if (parts === null) return null;
  const { filters, spec, ...rest } = parts;
  const write = FUNCTIONS.get(parts.name);
  if (write === undefined) return refuseFunction(parts.name);
  const conditions = filters.map((filter) => writer.write(filter).sql);
  if (condition !== null) conditions.push(condition);
  let written: readonly Written[] | null = null;
  const call: Call = {
    ...rest,
    writer,
    get args() {
      written ??= rest.nodes.map((argument) =>
        TAKES_INTERVAL.has(rest.name) ? writer.operand(argument) : writer.write(argument),
      );
      return written;
    },
    filter: conditions.length === 0 ? null : conditions.join(' AND '),
    ...writeOver(writer, spec),
  };
  return write(call);
}

function writeOver(writer: ExpressionWriter, spec: SyntaxNode | null): Pick<Call, 'over' | 'window'> {
  const window = spec === null ? null : writer.over(spec);
  return { over: window?.sql ?? null, window };
}

const EXTRACTED: ReadonlyMap<string, string> = new Map([
  ['DayOfYear', 'doy'],
  ['DayOfWeek', 'dow'],
]);

function readParts(node: unknown): Parts | null {
  const kind = getKind(node);
  const content = kind === null ? {} : getContent(node, kind);
  const plain = (name: string, ...nodes: readonly unknown[]): Parts => ({
    name,
    nodes: nodes.filter((argument) => argument !== null && argument !== undefined),
    isDistinct: false,
    ignoresNulls: false,
    within: null,
    filters: [],
    spec: null,
  });
  switch (kind) {
    case 'function':
    case 'aggregate_function': {
      if (typeof content.name !== 'string') return null;
      const base = plain(asciiLowerCase(content.name).replace(/^spark_/, ''), ...readList(content.args));
      if (readList(content.order_by).length > 0 || content.limit != null)
        refuseOnFolder(`ORDER BY within ${base.name}()`);
      return {
        ...base,
        isDistinct: content.distinct === true,
        ignoresNulls: content.ignore_nulls === true,
        filters: content.filter == null ? [] : [content.filter],
      };
    }
    case 'filter': {
      const inner = readParts(content.this);
      return inner === null ? null : { ...inner, filters: [...inner.filters, content.expression] };
    }
    case 'within_group': {
      const inner = readParts(content.this);
      return inner === null ? null : { ...inner, within: readObjects(content.order_by) };
    }
    case 'ignore_nulls':
    case 'respect_nulls': {
      const inner = readParts(content.this);
      return inner === null ? null : { ...inner, ignoresNulls: kind === 'ignore_nulls' };
    }
    case 'window_function': {
      const inner = readParts(content.this);
      return inner === null ? null : { ...inner, spec: isObject(content.over) ? content.over : {} };
    }
    case 'extract': {
      const { field } = content;
      const name = isObject(field)
        ? String(Object.values(field)[0])
        : (EXTRACTED.get(String(field)) ?? String(field).toLowerCase());
      const literal = { literal: { literal_type: 'string', value: name } };
      return plain('extract', literal, content.this);
    }
    case 'trim': {
      const name = { Leading: 'ltrim', Trailing: 'rtrim' }[String(content.position)] ?? 'btrim';
      return plain(
        content.characters == null ? (name === 'btrim' ? 'trim' : name) : `${name} from`,
        content.this,
        content.characters,
      );
    }
    case 'overlay':
      return plain('overlay', content.this, content.replacement, content.from, content.length);
    case 'str_position':
      return plain('position', content.substr, content.this, content.position);
    case 'substring':
      return plain('substring', content.this, content.start, content.length);
    case 'first_value':
    case 'last_value':
      return { ...plain(kind, content.this), ignoresNulls: content.ignore_nulls === true };
    case 'length':
    case 'upper':
    case 'lower':
      return plain(kind, content.this);
    default:
      return null;
  }
}
