import { UnknownDataTypeError } from '../data-types/data-types.ts';
import { countExpected } from '../items/compared-items.ts';
import { sumLevels } from '../items/level-counts.ts';
import { hasDerivedIds, hasItemsWithoutUpload } from '../items/stored-items.ts';
import { allowTable } from '../sql-check/checked-statement.ts';
import type { AllowedTable } from '../warehouse/warehouse.ts';
import type { PartitionResources } from './attempt.ts';
import { createBatchFingerprint } from './batch-fingerprint.ts';
import { countFailedItems } from './failed-items.ts';
import { toOutcome } from './failure.ts';
import { planPartition } from './partition-plan.ts';
import type {
  CheckedPlan,
  PartitionProgress,
  PartitionTask,
  PlannedPartition,
  PlanOutcome,
} from './partition-task.ts';
import type { PlanContext, TableInput } from './plan-parts.ts';
import { showWaiting } from './waiting.ts';

/** Plans what a partition reads, and whether it is split. */
export async function planTask(
  open: () => Promise<PartitionResources>,
  task: PartitionTask,
  report: (progress: PartitionProgress) => void,
  signal: AbortSignal,
): Promise<PlanOutcome<CheckedPlan>> {
  try {
    const resources = await open();
    const { pool } = resources;
    const { warehouse, onOperation } = showWaiting(resources.warehouse, (currentOperation) =>
      report({ currentOperation, measurements: null }),
    );
    onOperation(`Counting rows of ${task.sourceName}`);
    switch (task.input.kind) {
      case 'FAILED_ITEMS': {
        const { partitionId } = task.input;
        const totalItems = await countFailedItems(pool, partitionId);
        return {
          status: 'PLANNED',
          partitions: [{ plan: { kind: 'FAILED_ITEMS', partitionId }, totalItems }],
        };
      }
      case 'CATALOG': {
        const totalItems = await countExpected(pool, task.dataType);
        return { status: 'PLANNED', partitions: [{ plan: { kind: 'CATALOG' }, totalItems }] };
      }
      case 'TABLE':
        return {
          status: 'PLANNED',
          partitions: await planTable(
            { ...resources, warehouse, latestWatermark: findLatest(resources), signal },
            { ...task, input: task.input },
          ),
        };
      case 'QUERY':
        throw new Error('a query job needs no plan');
    }
  } catch (error) {
    return toOutcome(error, signal);
  }
}

type TableContext = PlanContext & Pick<PartitionResources, 'pool'>;

type TableTask = PartitionTask & { readonly input: TableInput };

/** Plans what to read of a table; nothing if it holds what the last complete sync has read. */
async function planTable(
  context: TableContext,
  task: TableTask,
): Promise<readonly PlannedPartition<CheckedPlan>[]> {
  const { warehouse, signal } = context;
  const { input } = task;
  const { copy } = input;
  if (copy === null) return planPartition(context, input);
  const table = allowTable(input.table, context.allowedSchemas);
  // A table without history is identified while nobody writes it, or it could be another one that is read.
  const before = warehouse.history === undefined ? await warehouse.findVersion([table], signal) : null;
  const contents = await identifyContents(context, task, table);
  if (contents !== null && contents === copy.synced?.contents && (await isUploaded(context, task))) {
    const { success } = copy.synced;
    return [{ plan: { kind: 'UNCHANGED', success }, totalItems: sumLevels(success) }];
  }
  const { dataSourceId } = task;
  const partitions = await planPartition(
    {
      ...context,
      hasDerivedIds: async () => dataSourceId !== null && hasDerivedIds(context.pool, dataSourceId),
    },
    input,
  );
  const { itemChanges } = copy;
  const toRead = (isChanges: boolean) => (contents === null ? null : { contents, itemChanges, isChanges });
  return partitions.map(({ plan, ...planned }) => ({
    plan:
      plan.kind === 'STATEMENT' && (warehouse.history !== undefined || plan.version === before)
        ? { ...plan, read: toRead(plan.changes !== undefined) }
        : plan,
    ...planned,
  }));
}

async function isUploaded({ pool }: TableContext, { dataSourceId }: TableTask): Promise<boolean> {
  return dataSourceId !== null && !(await hasItemsWithoutUpload(pool, dataSourceId));
}

/**
 * Identifies what a table holds, how a sync selects rows of it and how they become items.
 * @returns null if the warehouse cannot identify it.
 */
async function identifyContents(
  { warehouse, dataTypes, signal }: PlanContext,
  { dataType: name, input, sourceMetadata, hashedMetadata }: TableTask,
  table: AllowedTable,
): Promise<string | null> {
  const dataType = dataTypes.find(name);
  if (dataType === undefined) throw new UnknownDataTypeError(name);
  const contents = (await warehouse.findContents?.([table], signal)) ?? null;
  if (contents === null) return null;
  return createBatchFingerprint({ dataType, sourceMetadata, hashedMetadata })(
    JSON.stringify([input.cursorColumn, input.lookback, contents]),
  );
}

/** Returns the latest time that a watermark may have. */
export function findLatest({ watermarkAheadMs }: Pick<PartitionResources, 'watermarkAheadMs'>): Date {
  return new Date(Date.now() + watermarkAheadMs);
}
