import type { Pool } from 'pg';
import type { Catalog } from '../catalog/catalog.ts';
import type { DataTypes } from '../data-types/data-types.ts';
import type { SchemaPattern } from '../sql-check/allowed-schemas.ts';
import type { Warehouse } from '../warehouse/warehouse.ts';
import type { PartitionTask } from './partition-task.ts';
import type { StageMeter } from './stage-meter.ts';
import type { Uploader } from './upload.ts';
import type { OnOperation } from './waiting.ts';

/** What a worker thread opens once, for every partition that it runs. */
export interface PartitionResources {
  readonly pool: Pool;
  readonly warehouse: Warehouse;
  /** The schemas of the warehouse whose tables may be read. */
  readonly allowedSchemas: readonly SchemaPattern[];
  readonly catalog: Catalog;
  /** The kind of catalog. */
  readonly catalogName: string;
  readonly dataTypes: DataTypes;
  /** How far a watermark may be ahead of the clock, in milliseconds. */
  readonly watermarkAheadMs: number;
}

/** What the steps of one attempt of a partition use. */
export interface Attempt extends PartitionResources, Omit<Uploader, 'dataType' | 'isRepair'> {
  readonly task: PartitionTask;
  readonly meter: StageMeter;
  readonly onOperation: OnOperation;
  /** Aborted when the attempt is stopped or has ended. */
  readonly signal: AbortSignal;
  /** Interrupts the statement in the warehouse. */
  readonly endReading: () => void;
}

/** Creates the uploader of an attempt, for items of its data type. */
export function createUploader(attempt: Attempt): Uploader {
  const { dataType, input } = attempt.task;
  return { ...attempt, dataType, isRepair: input.kind === 'CATALOG' };
}
