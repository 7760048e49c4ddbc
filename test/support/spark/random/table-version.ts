/** What Spark says that a version of a table holds. */
export interface TableVersion {
  readonly number: number;
  readonly committedAt: Date;
  readonly hasFeed: boolean;
  readonly columns: readonly string[];
  readonly rows: readonly TableRow[];
}

export interface TableRow {
  readonly id: string | null;
  /** Equal for equal rows; columns without a value do not count. */
  readonly content: string;
  /** The cursor in milliseconds; null for none. */
  readonly cursor: number | null;
  readonly hours: number | null;
  /** Whether it has a mission, which a sortie without an id needs. */
  readonly hasMission: boolean;
  /** Whether its marking is none. */
  readonly isBad: boolean;
}

type Data = Readonly<Record<string, unknown>>;

export function createVersion({
  rows,
  ...facts
}: Pick<TableVersion, 'number' | 'committedAt' | 'hasFeed'> & {
  readonly rows: readonly Data[];
}): TableVersion {
  return { ...facts, columns: Object.keys(rows[0] ?? {}), rows: rows.map(toRow) };
}

function toRow(data: Data): TableRow {
  const { item_id: id, updated_at: cursor, flight_hours: hours, mission_id: mission } = data;
  return {
    id: typeof id === 'string' ? id : null,
    content: toContent(data),
    cursor: typeof cursor === 'string' ? Date.parse(cursor) : null,
    hours: hours == null ? null : Number(hours),
    hasMission: mission != null,
    isBad: data.classification_marking != null,
  };
}

/** Writes a row, or the data of an item, so that equal ones are equal texts. */
export function toContent(data: Data): string {
  const entries = Object.entries(data).filter(([, value]) => value != null);
  return JSON.stringify(entries.map(([name, value]) => [name, normalize(value)]).sort());
}

/** Numbers and times can be written in several ways. */
function normalize(value: unknown): unknown {
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'string') return JSON.stringify(value);
  if (/^\d{4}-\d\d-\d\dT/.test(value)) return Date.parse(value);
  return /^-?\d+(?:\.\d+)?$/.test(value) ? String(Number(value)) : value;
}
