import {
  DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBIntervalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBType,
  DuckDBTypeId,
  type DuckDBValue,
  INTERVAL,
} from '@duckdb/node-api';
import { findConverter } from '../../../src/warehouse/duckdb/value.ts';
import {
  arrow,
  type Data,
  type DataType,
  type Field,
  type Schema,
} from '../../../src/warehouse/spark-sql/arrow.ts';

/** A column of a result: its name and how DuckDB has it. */
export interface ResultColumn {
  readonly name: string;
  readonly type: DuckDBType;
}

/** The result's schema as Databricks writes it, without an end of the stream. */
export function schemaBytes(columns: readonly ResultColumn[]): Buffer {
  return written(createSchema(columns), []);
}

/** Rows as one message of Arrow, as it stands in a page of a result. */
export function batchBytes(columns: readonly ResultColumn[], values: readonly DuckDBValue[][]): Buffer {
  const schema = createSchema(columns);
  return written(schema, [recordBatch(schema, columns, values)]).subarray(written(schema, []).length);
}

/** Rows as a whole file of Arrow, as it lies in the cloud's storage. */
export function fileBytes(columns: readonly ResultColumn[], values: readonly DuckDBValue[][]): Buffer {
  const batch = recordBatch(createSchema(columns), columns, values);
  return Buffer.from(arrow.RecordBatchStreamWriter.writeAll([batch]).toUint8Array(true));
}

type Batch = InstanceType<typeof arrow.RecordBatch>;

function written(schema: Schema, batches: readonly Batch[]): Buffer {
  const writer = new arrow.RecordBatchWriter();
  writer.reset(undefined, schema);
  for (const batch of batches) writer.write(batch);
  writer.finish();
  return Buffer.from(writer.toUint8Array(true)).subarray(0, -END_OF_STREAM_BYTES);
}

const END_OF_STREAM_BYTES = 8;

function createSchema(columns: readonly ResultColumn[]): Schema {
  return new arrow.Schema(columns.map(({ name, type }) => createField(name, type)));
}

function recordBatch(
  schema: Schema,
  columns: readonly ResultColumn[],
  values: readonly DuckDBValue[][],
): Batch {
  const length = values[0]?.length ?? 0;
  const children = columns.map(({ type }, index) => createData(type, values[index] ?? []));
  const data = arrow.makeData({ type: new arrow.Struct(schema.fields), length, nullCount: 0, children });
  return new arrow.RecordBatch(schema, data);
}

function createField(name: string, type: DuckDBType): Field {
  const metadata = new Map<string, string>();
  if (type.alias === 'JSON') metadata.set('Spark:DataType:SqlName', 'VARIANT');
  if (type.typeId === DuckDBTypeId.INTERVAL) metadata.set('Spark:DataType:SqlName', 'INTERVAL');
  return new arrow.Field(name, toArrowType(type), true, metadata);
}

function toArrowType(type: DuckDBType): DataType {
  switch (type.typeId) {
    case DuckDBTypeId.BOOLEAN:
      return new arrow.Bool();
    case DuckDBTypeId.TINYINT:
      return new arrow.Int8();
    case DuckDBTypeId.SMALLINT:
      return new arrow.Int16();
    case DuckDBTypeId.INTEGER:
      return new arrow.Int32();
    case DuckDBTypeId.BIGINT:
      return new arrow.Int64();
    case DuckDBTypeId.UBIGINT:
      return new arrow.Decimal(0, 20);
    case DuckDBTypeId.HUGEINT:
      return new arrow.Decimal(0, 38);
    case DuckDBTypeId.FLOAT:
      return new arrow.Float32();
    case DuckDBTypeId.DOUBLE:
      return new arrow.Float64();
    case DuckDBTypeId.DECIMAL:
      return new arrow.Decimal(type.scale, type.width);
    case DuckDBTypeId.DATE:
      return new arrow.DateDay();
    case DuckDBTypeId.TIMESTAMP:
    case DuckDBTypeId.TIMESTAMP_S:
    case DuckDBTypeId.TIMESTAMP_MS:
    case DuckDBTypeId.TIMESTAMP_NS:
      return new arrow.TimestampMicrosecond();
    case DuckDBTypeId.TIMESTAMP_TZ:
      return new arrow.TimestampMicrosecond('Etc/UTC');
    case DuckDBTypeId.BLOB:
      return new arrow.Binary();
    case DuckDBTypeId.SQLNULL:
      return new arrow.Null();
    case DuckDBTypeId.LIST:
    case DuckDBTypeId.ARRAY:
      return new arrow.List(createField('element', type.valueType));
    case DuckDBTypeId.STRUCT:
      return new arrow.Struct(type.entryNames.map((name) => createField(name, type.typeForEntry(name))));
    case DuckDBTypeId.MAP: {
      const key = new arrow.Field('key', toArrowType(type.keyType), false);
      const entries = new arrow.Struct([key, createField('value', type.valueType)]);
      return new arrow.Map_(new arrow.Field('entries', entries as never, false));
    }
    default:
      return new arrow.Utf8();
  }
}

function createData(type: DuckDBType, values: readonly DuckDBValue[]): Data {
  const arrowType = toArrowType(type);
  const { length } = values;
  const nullBitmap = bitmap(values, (value) => value !== null);
  const nullCount = values.reduce<number>((count, value) => count + (value === null ? 1 : 0), 0);
  const of = (rest: object) =>
    arrow.makeData({ type: arrowType, length, nullCount, nullBitmap, ...rest } as never);
  switch (type.typeId) {
    case DuckDBTypeId.SQLNULL:
      return arrow.makeData({ type: new arrow.Null(), length });
    case DuckDBTypeId.BOOLEAN:
      return of({ data: bitmap(values, (value) => value === true) });
    case DuckDBTypeId.TINYINT:
    case DuckDBTypeId.SMALLINT:
    case DuckDBTypeId.INTEGER:
    case DuckDBTypeId.FLOAT:
    case DuckDBTypeId.DOUBLE:
      return of({ data: arrowType.ArrayType.from(values.map((value) => value ?? 0)) });
    case DuckDBTypeId.BIGINT:
      return of({
        data: BigInt64Array.from(values.map((value) => (typeof value === 'bigint' ? value : 0n))),
      });
    case DuckDBTypeId.UBIGINT:
    case DuckDBTypeId.HUGEINT:
      return of({ data: wideWords(values.map((value) => (typeof value === 'bigint' ? value : 0n))) });
    case DuckDBTypeId.DECIMAL:
      return of({
        data: wideWords(values.map((value) => (value instanceof DuckDBDecimalValue ? value.value : 0n))),
      });
    case DuckDBTypeId.DATE:
      return of({
        data: Int32Array.from(values, (value) => (value instanceof DuckDBDateValue ? value.days : 0)),
      });
    case DuckDBTypeId.TIMESTAMP:
    case DuckDBTypeId.TIMESTAMP_S:
    case DuckDBTypeId.TIMESTAMP_MS:
    case DuckDBTypeId.TIMESTAMP_NS:
    case DuckDBTypeId.TIMESTAMP_TZ:
      return of({ data: new Int32Array(BigInt64Array.from(values.map(toMicroseconds)).buffer) });
    case DuckDBTypeId.BLOB:
      return of(
        joinBytes(values.map((value) => (value instanceof DuckDBBlobValue ? value.bytes : new Uint8Array()))),
      );
    case DuckDBTypeId.LIST:
    case DuckDBTypeId.ARRAY: {
      const lists = values.map(toItems);
      return of({ valueOffsets: createOffsets(lists), child: createData(type.valueType, lists.flat()) });
    }
    case DuckDBTypeId.STRUCT:
      return of({
        children: type.entryNames.map((name) =>
          createData(
            type.typeForEntry(name),
            values.map((value) =>
              value instanceof DuckDBStructValue ? (value.entries[name] ?? null) : null,
            ),
          ),
        ),
      });
    case DuckDBTypeId.MAP: {
      const maps = values.map((value) => (value instanceof DuckDBMapValue ? value.entries : []));
      const entries = maps.flat();
      const child = arrow.makeData({
        type: (arrowType as InstanceType<typeof arrow.Map_>).children[0]?.type as never,
        length: entries.length,
        nullCount: 0,
        children: [
          createData(
            type.keyType,
            entries.map(({ key }) => key),
          ),
          createData(
            type.valueType,
            entries.map(({ value }) => value),
          ),
        ],
      } as never);
      return of({ valueOffsets: createOffsets(maps), child });
    }
    default:
      return of(joinBytes(values.map((value) => Buffer.from(value === null ? '' : formatText(value)))));
  }
}

/** Databricks writes an interval without its unit. */
function formatText(value: DuckDBValue): string {
  if (!(value instanceof DuckDBIntervalValue)) return String(value);
  const text = String(findConverter(INTERVAL)(value));
  return /^INTERVAL '(.*)' \w+ TO \w+$/.exec(text)?.[1] ?? text;
}

function bitmap(values: readonly DuckDBValue[], isSet: (value: DuckDBValue) => boolean): Uint8Array {
  // Arrow pads buffers to 8 bytes.
  const bits = new Uint8Array(Math.ceil(values.length / 64) * 8);
  values.forEach((value, index) => {
    if (isSet(value)) bits[index >> 3] = (bits[index >> 3] ?? 0) | (1 << (index & 7));
  });
  return bits;
}

function wideWords(values: readonly bigint[]): Uint32Array {
  const words = new BigInt64Array(values.length * 2);
  values.forEach((value, index) => {
    words[2 * index] = BigInt.asIntN(64, value);
    words[2 * index + 1] = value >> 64n;
  });
  return new Uint32Array(words.buffer);
}

function toMicroseconds(value: DuckDBValue): bigint {
  if (value instanceof DuckDBTimestampValue || value instanceof DuckDBTimestampTZValue) return value.micros;
  if (value instanceof DuckDBTimestampSecondsValue) return value.seconds * 1_000_000n;
  if (value instanceof DuckDBTimestampMillisecondsValue) return value.millis * 1_000n;
  if (value instanceof DuckDBTimestampNanosecondsValue) return value.nanos / 1_000n;
  return 0n;
}

function toItems(value: DuckDBValue): readonly DuckDBValue[] {
  return value instanceof DuckDBListValue || value instanceof DuckDBArrayValue ? value.items : [];
}

function createOffsets(lists: readonly (readonly unknown[])[]): Int32Array {
  const offsets = new Int32Array(lists.length + 1);
  lists.forEach((list, index) => {
    offsets[index + 1] = (offsets[index] ?? 0) + list.length;
  });
  return offsets;
}

function joinBytes(values: readonly Uint8Array[]): { valueOffsets: Int32Array; data: Uint8Array } {
  const valueOffsets = new Int32Array(values.length + 1);
  values.forEach((value, index) => {
    valueOffsets[index + 1] = (valueOffsets[index] ?? 0) + value.length;
  });
  return { valueOffsets, data: Buffer.concat(values) };
}
