import { makeNamesDistinct } from '../distinct-names.ts';
import { WarehouseError } from '../warehouse.ts';
import { arrow, type RecordBatch } from './arrow.ts';
import { toReadableSchema } from './arrow-schema.ts';
import { createColumnReader, isTextField } from './arrow-value.ts';
import { type Chunk, createChunk } from './chunk.ts';

/** A part of a result: a schema, followed by batches. */
export interface ArrowPage {
  readonly batches: readonly Buffer[];
  /** The number of rows that belong to the result. */
  readonly rowCount: number;
}

/**
 * Reads the chunks of a page, one a batch.
 * @throws WarehouseError INTERRUPTED if it has fewer rows than it says.
 */
export function* readArrowChunks({ batches, rowCount }: ArrowPage): Generator<Chunk, void, undefined> {
  let remaining = rowCount;
  const [first = Buffer.alloc(0), ...others] = batches;
  const schema = toReadableSchema(first);
  for (const batch of arrow.RecordBatchReader.from([schema.bytes, ...others])) {
    schema.mark(batch.schema);
    // A batch can have more rows than belong to the result.
    const rows = Math.min(batch.numRows, remaining);
    remaining -= rows;
    if (rows > 0) yield toArrowChunk(batch, rows);
  }
  if (remaining > 0) throw createMissingRowsError();
}

function toArrowChunk(batch: RecordBatch, rowCount: number): Chunk {
  const { fields } = batch.schema;
  const names = makeNamesDistinct(fields.map((field) => field.name));
  const columns = fields.flatMap((field, index) => {
    const data = batch.data.children[index];
    const name = names[index];
    return data === undefined || name === undefined ? [] : [{ name, read: createColumnReader(data, field) }];
  });
  const textColumns = names.filter((_name, index) => {
    const field = fields[index];
    return field !== undefined && isTextField(field);
  });
  return createChunk(columns, textColumns, rowCount);
}

export function createMissingRowsError(): WarehouseError {
  return new WarehouseError('INTERRUPTED', 'A part of the result did not arrive.');
}
