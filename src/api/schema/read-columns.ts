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

// A list reads only the columns that its fields use. Pothos can do the same with `select`, but would then read whole rows,
// such as those of subscriptions, a second time.

/** What a field reads of its row. */
interface ColumnUse {
  readonly columns: readonly string[];
  /** Whether the field returns the row itself, whose own fields then declare what they read. */
  readonly isRow: boolean;
}

/** The extension of a field that holds its column use. */
const COLUMN_USE = 'bladeColumnUse';

/**
 * Declares, for the options of a field, the columns it reads besides the id, which is always read. A field that is not
 * exposed and declares nothing may read all columns.
 */
export function declareColumns<Row>(...names: (keyof Row & string)[]) {
  return { [COLUMN_USE]: { columns: names, isRow: false } satisfies ColumnUse };
}

/**
 * Creates the options of fields that read some columns.
 * @returns a function that takes the columns, and a resolver that gets only those.
 */
export function createColumnReader<Row>() {
  return <Column extends keyof Row & string, Result>(
    names: readonly Column[],
    resolve: (row: Pick<Row, Column>) => Result,
  ) => ({ extensions: declareColumns<Row>(...names), resolve });
}

/** Creates the options of a field that returns the row itself as the parent of its fields. */
export function passRow<Row>(...names: (keyof Row & string)[]) {
  return {
    extensions: { [COLUMN_USE]: { columns: names, isRow: true } satisfies ColumnUse },
    resolve: (row: Row) => row,
  };
}

/** The fields between a resolved field and its rows. */
type Path = readonly string[];

/**
 * Creates a function that finds the columns an operation reads.
 * @param paths every way to the rows. Default: they are what the field returns.
 * @returns a function that returns null if any column may be read.
 */
export function createColumnFinder(paths: readonly Path[] = [[]]) {
  // Cached documents keep their nodes.
  const known = new WeakMap<FieldNode, ReadonlySet<string> | null>();

  function findNodeColumns(node: FieldNode, info: GraphQLResolveInfo): ReadonlySet<string> | null {
    let found = known.get(node);
    if (found === undefined) {
      const names = new Set(['id']);
      const type = getNamedType(info.returnType);
      const isKnown = paths.every((path) => collect(names, path, type, node.selectionSet, info));
      found = isKnown ? names : null;
      known.set(node, found);
    }
    return found;
  }

  return (info: GraphQLResolveInfo): ReadonlySet<string> | null => {
    const columnsByNode = info.fieldNodes.map((node) => findNodeColumns(node, info));
    const [first] = columnsByNode;
    if (columnsByNode.length === 1 && first !== undefined) return first;
    return columnsByNode.every((names) => names !== null)
      ? new Set(columnsByNode.flatMap((names) => [...names]))
      : null;
  };
}

/**
 * Creates a function that narrows a Prisma query to the columns an operation reads.
 * @param always columns to read in any case, besides the id.
 * @param paths every way to the rows. Default: they are what the field returns.
 * @returns a function that takes the query Pothos created for the relations. The result is typed as if it read all
 * columns, because the fields that read others were not requested.
 */
export function createQueryNarrower({
  always = [],
  paths,
}: {
  always?: readonly string[];
  paths?: readonly Path[];
} = {}) {
  const findColumns = createColumnFinder(paths);
  return <Query extends { include?: object; select?: object }>(
    query: Query,
    info: GraphQLResolveInfo,
  ): Query => {
    const names = findColumns(info);
    if (names === null) return query;
    const { include, ...others } = query;
    return {
      ...others,
      select: { ...Object.fromEntries([...always, ...names].map((name) => [name, true])), ...include },
    } as Query;
  };
}

/** @returns whether all columns read are known. */
function collect(
  names: Set<string>,
  path: Path,
  type: GraphQLNamedType,
  selectionSet: SelectionSetNode | undefined,
  info: Pick<GraphQLResolveInfo, 'schema' | 'fragments'>,
): boolean {
  return (selectionSet?.selections ?? []).every((selection) => {
    if (selection.kind === Kind.FIELD) return collectField(names, path, type, selection, info);
    const fragment =
      selection.kind === Kind.FRAGMENT_SPREAD ? info.fragments[selection.name.value] : selection;
    const condition = fragment?.typeCondition && info.schema.getType(fragment.typeCondition.name.value);
    // Fields of an interface are fields of this type, too.
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
  const fieldType = getNamedType(field.type);
  if (step !== undefined) return name !== step || collect(names, path, fieldType, selectionSet, info);
  if (name === 'id') return true;
  const use = findColumnUse(field);
  if (use === null) return false;
  for (const column of use.columns) names.add(column);
  return !use.isRow || collect(names, [], fieldType, selectionSet, info);
}

/** Returns null if a field does not declare what it reads. */
function findColumnUse({ extensions }: GraphQLField<unknown, unknown>): ColumnUse | null {
  const { [COLUMN_USE]: declared, pothosExposedField: exposed } = extensions as {
    readonly [COLUMN_USE]?: ColumnUse;
    readonly pothosExposedField?: unknown;
  };
  if (declared !== undefined) return declared;
  return typeof exposed === 'string' ? { columns: [exposed], isRow: false } : null;
}
