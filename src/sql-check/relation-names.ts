import { asciiLowerCase } from '../shared/ascii-case.ts';
import { isObject } from '../shared/json.ts';
import { getContent, getKind, type SyntaxNode } from './syntax-tree.ts';

/** A statement in which no two relations share a name. */
export interface ResolvedStatement {
  readonly statement: SyntaxNode;
  /** The parts of each table name, in order of appearance. */
  readonly tables: readonly (readonly string[])[];
}

/**
 * Separates the names of tables from those of WITH clauses, and renames the latter to names that no table has. Engines
 * differ in the scope of a WITH; an engine that looks for the new name elsewhere finds nothing instead of one of its tables.
 */
export function resolveRelations(statement: SyntaxNode): ResolvedStatement {
  const resolver = new Resolver();
  const resolved = resolver.resolve(statement, new Map()) as SyntaxNode;
  return { statement: resolved, tables: resolver.tables() };
}

/** The new name of each visible WITH, by its name in lower case. */
type Visible = ReadonlyMap<string, string>;

interface NamedTable {
  readonly parts: readonly string[];
  readonly position: number;
}

class Resolver {
  readonly #found: NamedTable[] = [];
  #renamed = 0;

  tables(): (readonly string[])[] {
    return this.#found.toSorted((left, right) => left.position - right.position).map(({ parts }) => parts);
  }

  resolve(value: unknown, visible: Visible): unknown {
    if (Array.isArray(value)) return value.map((item) => this.resolve(item, visible));
    if (!isObject(value)) return value;
    if (isObject(value.with)) {
      const clause = this.#resolveWith(value.with, visible);
      const rest = this.resolve({ ...value, with: null }, clause.visible) as SyntaxNode;
      return { ...rest, with: clause.content };
    }
    const entries = Object.entries(value).map(([key, inner]) => {
      const isTable = key === 'table' && isObject(inner) && isObject(inner.name);
      return [key, this.resolve(isTable ? this.#resolveTable(inner, visible) : inner, visible)];
    });
    return Object.fromEntries(entries);
  }

  #resolveTable(table: SyntaxNode, visible: Visible): SyntaxNode {
    const named = toNamedTable(table);
    const name = named.parts.length === 1 ? visible.get(asciiLowerCase(named.parts.join(''))) : undefined;
    if (name === undefined) {
      this.#found.push(named);
      return table;
    }
    const identifier = isObject(table.name) ? table.name : {};
    // Columns are still qualified by the original name.
    const alias = table.alias ?? identifier;
    return { ...table, name: { ...identifier, name, quoted: true }, alias, alias_explicit_as: true };
  }

  #resolveWith(clause: SyntaxNode, outer: Visible): { content: SyntaxNode; visible: Visible } {
    const visible = new Map(outer);
    const ctes = (Array.isArray(clause.ctes) ? clause.ctes : []).map((item) => {
      const cte = toWithContent(item);
      const name = asciiLowerCase(toName(cte.alias));
      const renamed = this.#nextName();
      const query =
        clause.recursive === true
          ? this.#resolveRecursive(cte.this, visible, name, renamed)
          : this.resolve(cte.this, visible);
      visible.set(name, renamed);
      const content = {
        ...cte,
        this: query,
        alias: { ...(isObject(cte.alias) ? cte.alias : {}), name: renamed, quoted: true },
      };
      return getKind(item) === 'cte' ? { cte: content } : content;
    });
    return { content: { ...clause, ctes }, visible };
  }

  #nextName(): string {
    this.#renamed += 1;
    return `blade_with_${this.#renamed}`;
  }

  /** A recursive query sees its own name only after its UNION; before that, the name means another relation. */
  #resolveRecursive(query: unknown, visible: Visible, name: string, renamed: string): unknown {
    const kind = getKind(query);
    const content = kind === null ? {} : getContent(query, kind);
    if (kind === 'subquery' && content.alias === null)
      return { subquery: { ...content, this: this.#resolveRecursive(content.this, visible, name, renamed) } };
    if (kind !== 'union' || isObject(content.with)) return this.resolve(query, visible);
    const right = this.resolve(content.right, new Map([...visible, [name, renamed]]));
    const rest = this.resolve({ ...content, right: null }, visible) as SyntaxNode;
    return { union: { ...rest, right } };
  }
}

/** Returns the content of one entry of a WITH clause. */
export function toWithContent(cte: unknown): SyntaxNode {
  if (getKind(cte) === 'cte') return getContent(cte, 'cte');
  return isObject(cte) ? cte : {};
}

function toNamedTable(table: SyntaxNode): NamedTable {
  const names = [table.catalog, table.schema, table.name];
  // The parser joins a fourth part to the third with a dot; a quoted name may contain dots.
  const parts = names
    .flatMap((name) => (isObject(name) && name.quoted === true ? [toName(name)] : toName(name).split('.')))
    .filter((part) => part !== '');
  const span = isObject(table.name) && isObject(table.name.span) ? table.name.span.start : 0;
  return { parts, position: typeof span === 'number' ? span : 0 };
}

export function toName(identifier: unknown): string {
  if (!isObject(identifier)) return '';
  return typeof identifier.name === 'string' ? identifier.name : toName(identifier.this);
}
