import { arrayOfLevels } from './level-counts.ts';

// How a write changes the markings of an item, as expressions of SQL over the columns of `stored`, the item as it is, and
// `excluded`, the item as it is brought in. The constraints of blade_item hold their results to the rules.

/** The level of a marking that is not null. */
export const levelIn = (marking: string) => `blade_marking_level(${marking})`;

/** The higher of two markings, of which the other may be null; the first where both ask for the same clearance. */
export const higherIn = (one: string, other: string) =>
  `case when ${other} is not null and ${levelIn(other)} > ${levelIn(one)} then ${other} else ${one} end`;

/** How many rows there are of each level, as an aggregate over a column of levels. */
export const countsOfLevels = (level = 'level') =>
  arrayOfLevels((at) => `(count(*) filter (where ${level} = ${at - 1}))::int`);

/** What changes where a source brings in an item that there is. */
export interface SourceMarkings {
  readonly classificationMarking: string;
  readonly rowMarking: string;
  readonly otherMarkings: string;
  readonly contentHash: string;
}

/**
 * A source may lower what it stated before, never what others state and never the floor; without a marking it lowers nothing.
 * @param mayLower whether the rows are as they are now: older ones only raise.
 */
export function sourceMarkings(mayLower: string): SourceMarkings {
  const mayFall = `(excluded.is_marking_stated and ${mayLower})`;
  // Nearly all items: a source of its own, and nobody has raised it. Planning and running all else costs more than the write.
  const isPlain = `(stored.floor_marking is null and stored.other_markings is null
    and stored.data_source_id is not distinct from excluded.data_source_id
    and (${mayFall} or ${levelIn('excluded.classification_marking')} >= ${levelIn('stored.classification_marking')}))`;
  const result = `blade_source_markings(stored, excluded.data_source_id, excluded.classification_marking, ${mayFall})`;
  return {
    classificationMarking: `case when ${isPlain} then excluded.classification_marking else (${result}).effective end`,
    rowMarking: `case when not ${isPlain} then (${result}).own end`,
    otherMarkings: `case when not ${isPlain} then (${result}).others end`,
    // What was not lowered now is when the source states it again, so that its row must not be known by its hash.
    contentHash: `case when ${mayLower} or ${isPlain} or not (${result}).is_kept
      then excluded.content_hash else excluded.content_hash || '+' end`,
  };
}

/** Whether a query job raises the floor of an item that there is. */
const RAISES_FLOOR = `(excluded.floor_marking is not null and (stored.floor_marking is null
  or ${levelIn('excluded.floor_marking')} > ${levelIn('stored.floor_marking')}))`;

const RAISES_MARKING = `${levelIn('excluded.classification_marking')} > ${levelIn('stored.classification_marking')}`;

const FLOOR_COLUMNS = [
  'floor_marking',
  'floor_job_id',
  'floor_by_id',
  'floor_by_name',
  'floor_at',
  'floor_reason',
];

/** What a query job changes of the markings of an item that there is: it only ever raises them. */
export const QUERY_JOB_MARKINGS = [
  `classification_marking = case when ${RAISES_MARKING} then excluded.classification_marking
    else stored.classification_marking end`,
  `row_marking = case when ${RAISES_MARKING} then coalesce(stored.row_marking, stored.classification_marking)
    else stored.row_marking end`,
  ...FLOOR_COLUMNS.map(
    (column) => `${column} = case when ${RAISES_FLOOR} then excluded.${column} else stored.${column} end`,
  ),
  `query_metadata = coalesce(stored.query_metadata, '{}') || excluded.query_metadata`,
  `query_marking = ${higherIn('excluded.query_marking', 'stored.query_marking')}`,
].join(',\n    ');
