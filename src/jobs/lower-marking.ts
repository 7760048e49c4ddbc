import { z } from 'zod';
import { recordDone } from '../access/audit.ts';
import type { Principal } from '../access/principal.ts';
import { createDataTypeSchema } from '../data-types/data-type-schema.ts';
import type { DataTypes } from '../data-types/data-types.ts';
import { type Marking, pickHigherMarking, toLevel, toMarking } from '../data-types/marking.ts';
import { readDatabaseTime } from '../database/database-clock.ts';
import { type BladeItem, Prisma, type PrismaClient } from '../database/generated/prisma/client.ts';
import { noteItemChanges } from '../items/item-changes.ts';
import type { IssueParams } from '../shared/invalid-input.ts';
import { isStorableText, UNSTORABLE_TEXT } from '../shared/storable-text.ts';
import { markingSchema, reasonSchema } from './input/marking-input.ts';
import { ItemNotFoundError, MarkingFloorChangedError, NoMarkingFloorError } from './item-errors.ts';
import type { ItemUploads } from './item-uploads.ts';

export function createLowerItemMarkingInputSchema(dataTypes: DataTypes) {
  return z
    .object({
      dataType: createDataTypeSchema(dataTypes),
      itemId: z.string().refine(isStorableText, { error: UNSTORABLE_TEXT }),
      expectedFloor: markingSchema,
      newFloor: markingSchema.nullish().transform((marking) => marking ?? null),
      reason: reasonSchema,
    })
    .superRefine(({ expectedFloor, newFloor }, context) => {
      if (newFloor === null || toLevel(newFloor) < toLevel(expectedFloor)) return;
      context.addIssue({
        code: 'custom',
        path: ['newFloor'],
        params: { code: 'OUT_OF_RANGE' } satisfies IssueParams,
        message: `${newFloor} is not lower than ${expectedFloor}: name a lower marking, or none for no floor at all`,
      });
    });
}

export type LowerItemMarkingInput = z.output<ReturnType<typeof createLowerItemMarkingInputSchema>>;

/**
 * Lowers the floor of an item, or takes it away; with it go the metadata of query jobs that are marked higher, because
 * it names them. The entry of the audit and the order to upload the item again are part of the same transaction.
 * @param principal who lowers it: an item above its clearance is not found.
 * @throws ItemNotFoundError, NoMarkingFloorError, or MarkingFloorChangedError where the floor is not the expected one.
 */
export async function lowerItemMarking(
  { prisma, itemUploads }: { readonly prisma: PrismaClient; readonly itemUploads: ItemUploads },
  principal: Principal,
  { reason, expectedFloor, ...input }: LowerItemMarkingInput,
): Promise<void> {
  const key = { dataType: input.dataType, itemId: input.itemId };
  // U and UNCLASSIFIED hold nothing up.
  const newFloor = input.newFloor === null || toLevel(input.newFloor) === 0 ? null : input.newFloor;
  await prisma.$transaction(async (transaction) => {
    const item = await lockItem(transaction, key);
    if (item === null || toLevel(toMarking(item.classificationMarking)) > toLevel(principal.clearance)) {
      throw new ItemNotFoundError(key);
    }
    const { floorMarking, classificationMarking } = item;
    if (floorMarking === null) throw new NoMarkingFloorError(key, classificationMarking);
    if (toLevel(toMarking(floorMarking)) !== toLevel(expectedFloor)) {
      throw new MarkingFloorChangedError(key, floorMarking, expectedFloor);
    }
    const markings = markingsWithFloor(item, newFloor);
    const now = await readDatabaseTime(transaction);
    await transaction.$executeRaw`select set_config('blade.lowers_marking_of', ${`${key.dataType}/${key.itemId}`}, true)`;
    await transaction.bladeItem.update({
      where: { dataType_itemId: key },
      data: {
        ...markings,
        ...toFloor(newFloor, principal, reason, now),
        ...(isCovered(item.queryMarking, newFloor)
          ? {}
          : { queryMetadata: Prisma.DbNull, queryMarking: null }),
        wasUploaded: item.wasUploaded || (await isUploaded(transaction, item)),
        uploadBatchId: null,
        updatedAt: now,
      },
      select: { itemId: true },
    });
    await transaction.$executeRawUnsafe(noteItemChanges('select unnest($1::uuid[])'), [
      item.dataSourceId,
      ...Object.keys(toOtherMarkings(item)),
    ]);
    await recordDone(transaction, principal, {
      operation: 'lowerItemMarking',
      marking: toMarking(classificationMarking),
      details: {
        ...key,
        reason,
        floor: { from: floorMarking, to: newFloor },
        classificationMarking: { from: classificationMarking, to: markings.classificationMarking },
      },
    });
    await itemUploads.enqueue(transaction, key);
  });
  itemUploads.wake();
}

type ItemKey = Pick<BladeItem, 'dataType' | 'itemId'>;

/** The item, which nobody else writes until the end of the transaction. */
async function lockItem(transaction: Prisma.TransactionClient, key: ItemKey): Promise<BladeItem | null> {
  const { dataType, itemId } = key;
  await transaction.$executeRaw`select 1 from blade_item where data_type = ${dataType} and item_id = ${itemId} for update`;
  return transaction.bladeItem.findUnique({ where: { dataType_itemId: key } });
}

/** The markings that other sources state of an item, by their ids. */
function toOtherMarkings({
  otherMarkings,
}: Pick<BladeItem, 'otherMarkings'>): Readonly<Record<string, string>> {
  return z.record(z.string(), z.string()).parse(otherMarkings ?? {});
}

/** What an item is marked with another floor: at least as its row and other sources state. */
function markingsWithFloor(
  { classificationMarking, rowMarking, otherMarkings }: BladeItem,
  floor: Marking | null,
): Pick<BladeItem, 'classificationMarking' | 'rowMarking'> {
  const own = toMarking(rowMarking ?? classificationMarking);
  const stated = Object.values(toOtherMarkings({ otherMarkings })).map(toMarking);
  const effective = [...(floor === null ? [] : [floor]), ...stated].reduce(pickHigherMarking, own);
  return { classificationMarking: effective, rowMarking: effective === own ? null : own };
}

function toFloor(floor: Marking | null, { id, name }: Principal, reason: string, now: Date) {
  const isSet = floor !== null;
  return {
    floorMarking: floor,
    floorJobId: null,
    floorById: isSet ? id : null,
    floorByName: isSet ? name : null,
    floorAt: isSet ? now : null,
    floorReason: isSet ? reason : null,
  };
}

function isCovered(marking: string | null, floor: Marking | null): boolean {
  return marking === null || toLevel(toMarking(marking)) <= (floor === null ? 0 : toLevel(floor));
}

async function isUploaded(
  transaction: Prisma.TransactionClient,
  { uploadBatchId }: BladeItem,
): Promise<boolean> {
  if (uploadBatchId === null) return false;
  const batch = await transaction.uploadBatch.findUnique({ where: { id: uploadBatchId } });
  return batch?.uploadedAt != null;
}
