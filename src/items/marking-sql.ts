import { createLevelArray } from './level-counts.ts';

// How a write changes the markings of an item, as SQL expressions over `stored`, the stored item, and `excluded`, the
// incoming one. The constraints of blade_item check the results.

/** Creates the level of a marking that is not null. */
export const toLevelSql = (marking: string) => `blade_marking_level(${marking})`;

/** Creates the higher of two markings; `other` may be null. The first if both have the same level. */
export const pickHigherSql = (one: string, other: string) =>
  `case when ${other} is not null and ${toLevelSql(other)} > ${toLevelSql(one)} then ${other} else ${one} end`;

/** Creates an aggregate that counts rows by a column of levels. */
export const countLevelsSql = (level = 'level') =>
  createLevelArray((at) => `(count(*) filter (where ${level} = ${at - 1}))::int`);

/** The columns that change when a source brings in a stored item again. */
export interface SourceMarkings {
  readonly classificationMarking: string;
  readonly rowMarking: string;
  readonly otherMarkings: string;
  readonly contentHash: string;
}

/**
 * Creates the markings of an item from a source. A source may lower what it stated before, but neither what others state
 * nor the floor. A row without a marking lowers nothing.
 * @param mayLower whether the rows are current; older ones only raise.
 */
export function createSourceMarkings(mayLower: string): SourceMarkings {
  const mayFall = `(excluded.is_marking_stated and ${mayLower})`;
  // Nearly all items have one source and no floor. For them, the function below would cost more than the write.
  const isPlain = `(stored.floor_marking is null and stored.other_markings is null
    and stored.data_source_id is not distinct from excluded.data_source_id
    and (${mayFall} or ${toLevelSql('excluded.classification_marking')} >= ${toLevelSql('stored.classification_marking')}))`;
  const result = `blade_source_markings(stored, excluded.data_source_id, excluded.classification_marking, ${mayFall})`;
  return {
    classificationMarking: `case when ${isPlain} then excluded.classification_marking else (${result}).effective end`,
    rowMarking: `case when not ${isPlain} then (${result}).own end`,
    otherMarkings: `case when not ${isPlain} then (${result}).others end`,
    // A marking kept now is lowered when the source states it again, so the hash must not mark the row as unchanged.
    contentHash: `case when ${mayLower} or ${isPlain} or not (${result}).is_kept
      then excluded.content_hash else excluded.content_hash || '+' end`,
  };
}

/** Whether a query job raises the floor of a stored item. */
const RAISES_FLOOR = `(excluded.floor_marking is not null and (stored.floor_marking is null
  or ${toLevelSql('excluded.floor_marking')} > ${toLevelSql('stored.floor_marking')}))`;

const RAISES_MARKING = `${toLevelSql('excluded.classification_marking')} > ${toLevelSql('stored.classification_marking')}`;

const FLOOR_COLUMNS = [
  'floor_marking',
  'floor_job_id',
  'floor_by_id',
  'floor_by_name',
  'floor_at',
  'floor_reason',
];

/** How a query job changes the markings of a stored item: it only raises them. */
export const QUERY_JOB_MARKINGS = [
  `classification_marking = case when ${RAISES_MARKING} then excluded.classification_marking
    else stored.classification_marking end`,
  `row_marking = case when ${RAISES_MARKING} then coalesce(stored.row_marking, stored.classification_marking)
    else stored.row_marking end`,
  ...FLOOR_COLUMNS.map(
    (column) => `${column} = case when ${RAISES_FLOOR} then excluded.${column} else stored.${column} end`,
  ),
  `query_metadata = coalesce(stored.query_metadata, '{}') || excluded.query_metadata`,
  `query_marking = ${pickHigherSql('excluded.query_marking', 'stored.query_marking')}`,
].join(',\n    ');
