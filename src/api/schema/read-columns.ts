import {
  type FieldNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLResolveInfo,
  getNamedType,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from 'graphql';

// Of a table with many columns, a list reads those alone that its fields ask for. Pothos has a way of its own for that,
// `select`, by which whole rows, such as those of subscriptions, would be read again.

/** What a field says that it reads of the row it is a field of. */
interface Reading {
  readonly columns: readonly string[];
  /** Whether it gives the row itself, whose fields then say what they read. */
  readonly isRow: boolean;
}

/** Where a field keeps it among its extensions. */
const READING = 'bladeReading';

/**
 * For the options of a field: the columns that it reads beside the id, which is always read. A field that neither is
 * exposed nor says so may read them all.
 */
export function columns<Row>(...names: (keyof Row & string)[]) {
  return { [READING]: { columns: names, isRow: false } satisfies Reading };
}

/**
 * The options of a field that reads some columns.
 * @returns a function that takes them, and a resolver that is given no others.
 */
export function readsOf<Row>() {
  return <Column extends keyof Row & string, Result>(
    names: readonly Column[],
    resolve: (row: Pick<Row, Column>) => Result,
  ) => ({ extensions: columns<Row>(...names), resolve });
}

/** The options of a field that gives the row itself, as what its fields are of. */
export function givesRow<Row>(...names: (keyof Row & string)[]) {
  return {
    extensions: { [READING]: { columns: names, isRow: true } satisfies Reading },
    resolve: (row: Row) => row,
  };
}

/**
 * Makes what tells which columns the fields read that an operation asks for.
 * @param path the fields between the one that is resolved and its rows.
 * @returns a function that gives null where any may be read.
 */
export function createColumnsRead(...path: readonly string[]) {
  // A document that is kept keeps its nodes.
  const known = new WeakMap<FieldNode, ReadonlySet<string> | null>();

  function columnsOfNode(node: FieldNode, info: GraphQLResolveInfo): ReadonlySet<string> | null {
    let found = known.get(node);
    if (found === undefined) {
      const names = new Set(['id']);
      const isKnown = collect(names, path, getNamedType(info.returnType), node.selectionSet, info);
      found = isKnown ? names : null;
      known.set(node, found);
    }
    return found;
  }

  return (info: GraphQLResolveInfo): ReadonlySet<string> | null => {
    const ofNodes = info.fieldNodes.map((node) => columnsOfNode(node, info));
    const [first] = ofNodes;
    if (ofNodes.length === 1 && first !== undefined) return first;
    return ofNodes.every((names) => names !== null) ? new Set(ofNodes.flatMap((names) => [...names])) : null;
  };
}

/**
 * Makes what lets a query of Prisma read only the columns that are asked for.
 * @param path the fields between the one that is resolved and its rows.
 * @returns a function that takes the query that Pothos has made of the relations. Its result is typed as if it read all
 * columns, since the fields that read others are not asked for.
 */
export function createNarrowing(...path: readonly string[]) {
  const columnsRead = createColumnsRead(...path);
  return <Query extends { include?: object; select?: object }>(
    query: Query,
    info: GraphQLResolveInfo,
  ): Query => {
    const names = columnsRead(info);
    if (names === null) return query;
    const { include, ...others } = query;
    return {
      ...others,
      select: { ...Object.fromEntries([...names].map((name) => [name, true])), ...include },
    } as Query;
  };
}

/** @returns whether all of it is known. */
function collect(
  names: Set<string>,
  path: readonly string[],
  type: GraphQLNamedType,
  selectionSet: SelectionSetNode | undefined,
  info: Pick<GraphQLResolveInfo, 'schema' | 'fragments'>,
): boolean {
  return (selectionSet?.selections ?? []).every((selection) => {
    if (selection.kind === Kind.FIELD) return collectField(names, path, type, selection, info);
    const fragment =
      selection.kind === Kind.FRAGMENT_SPREAD ? info.fragments[selection.name.value] : selection;
    const condition = fragment?.typeCondition && info.schema.getType(fragment.typeCondition.name.value);
    // A wider type's fields are fields of this one, too.
    return collect(names, path, isObjectType(condition) ? condition : type, fragment?.selectionSet, info);
  });
}

function collectField(
  names: Set<string>,
  [step, ...path]: readonly string[],
  type: GraphQLNamedType,
  { name: { value: name }, selectionSet }: FieldNode,
  info: Pick<GraphQLResolveInfo, 'schema' | 'fragments'>,
): boolean {
  if (name === '__typename') return true;
  const field = isObjectType(type) ? type.getFields()[name] : undefined;
  if (field === undefined) return false;
  const typeOfField = getNamedType(field.type);
  if (step !== undefined) return name !== step || collect(names, path, typeOfField, selectionSet, info);
  if (name === 'id') return true;
  const reading = readingOf(field);
  if (reading === null) return false;
  for (const column of reading.columns) names.add(column);
  return !reading.isRow || collect(names, [], typeOfField, selectionSet, info);
}

/** Null where a field does not say what it reads. */
function readingOf({ extensions }: GraphQLField<unknown, unknown>): Reading | null {
  const { [READING]: told, pothosExposedField: exposed } = extensions as {
    readonly [READING]?: Reading;
    readonly pothosExposedField?: unknown;
  };
  if (told !== undefined) return told;
  return typeof exposed === 'string' ? { columns: [exposed], isRow: false } : null;
}
