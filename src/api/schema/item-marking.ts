import { toMarking } from '../../data-types/marking.ts';
import type { BladeItem } from '../../database/generated/prisma/client.ts';
import { ItemNotFoundError, MarkingFloorChangedError, NoMarkingFloorError } from '../../jobs/item-errors.ts';
import { createLowerItemMarkingInputSchema } from '../../jobs/lower-marking.ts';
import { InvalidInputError } from '../../shared/invalid-input.ts';
import { builder } from './builder.ts';
import { describeErrorType } from './error.ts';
import { BladeItemNode } from './item.ts';
import { MarkingEnum } from './marking.ts';
import { parseInput } from './parse-input.ts';
import { requires } from './requires.ts';

const LowerItemMarkingInput = builder.inputType('LowerItemMarkingInput', {
  description: 'Which raised marking to lower, and to what.',
  fields: (t) => ({
    dataType: t.string({ required: true, description: 'Data type of the item.' }),
    itemId: t.string({
      required: true,
      description: 'Id of the item, unique within its data type.',
    }),
    expectedFloor: t.field({
      type: MarkingEnum,
      required: true,
      description:
        "The marking of the item's current `markingFloor`. If it differs by now, nothing is lowered.",
    }),
    newFloor: t.field({
      type: MarkingEnum,
      description: 'The new floor, lower than the current one. Default: none, which removes the floor.',
    }),
    reason: t.string({
      required: true,
      description: 'Why, in at most 1,000 characters. Recorded in the audit and with the new floor.',
    }),
  }),
});

const LowerItemMarkingSuccess = builder
  .objectRef<{ item: BladeItem; message: string }>('LowerItemMarkingSuccess')
  .implement({
    description:
      'The raised marking was lowered or removed. The item is uploaded again with its new marking.',
    fields: (t) => ({
      item: t.field({
        type: BladeItemNode,
        description: 'The updated item. Its marking is the highest of its floor and what its sources state.',
        resolve: ({ item }) => item,
      }),
      message: t.exposeString('message', { description: 'What was done, as text to show.' }),
    }),
  });

builder.objectType(ItemNotFoundError, {
  ...describeErrorType(ItemNotFoundError, 'No item that your clearance covers has this data type and id.'),
  fields: (t) => ({
    dataType: t.exposeString('dataType', { description: 'The requested data type.' }),
    itemId: t.exposeString('itemId', { description: 'The requested id.' }),
  }),
});

builder.objectType(NoMarkingFloorError, {
  ...describeErrorType(
    NoMarkingFloorError,
    'The marking of the item was not raised, so there is nothing to lower.',
  ),
  fields: (t) => ({
    classificationMarking: t.field({
      type: MarkingEnum,
      description: 'Marking of the item, as its sources state it.',
      resolve: ({ classificationMarking }) => toMarking(classificationMarking),
    }),
  }),
});

builder.objectType(MarkingFloorChangedError, {
  ...describeErrorType(
    MarkingFloorChangedError,
    'The floor of the item is not the expected one: it was raised or lowered in the meantime.',
  ),
  fields: (t) => ({
    floor: t.field({
      type: MarkingEnum,
      description: 'The current floor.',
      resolve: ({ floor }) => toMarking(floor),
    }),
  }),
});

builder.mutationField('lowerItemMarking', (t) =>
  t.field({
    authScopes: requires('operator'),
    nullable: true,
    type: LowerItemMarkingSuccess,
    description:
      'Lowers the raised marking of an item that your clearance covers, or removes it. Metadata of query jobs with a higher marking is removed from the item, because it names them. The audit records who lowered it and why.',
    args: {
      input: t.arg({
        required: true,
        type: LowerItemMarkingInput,
        description: 'Which marking to lower, and to what.',
      }),
    },
    errors: {
      types: [InvalidInputError, ItemNotFoundError, NoMarkingFloorError, MarkingFloorChangedError],
      union: { name: 'LowerItemMarkingResult', description: 'The result of lowering a marking.' },
    },
    resolve: async (_root, { input }, { jobs, dataTypes }) => {
      const item = await jobs.lowerItemMarking(
        await parseInput(createLowerItemMarkingInputSchema(dataTypes), input),
      );
      const { floorMarking, classificationMarking } = item;
      const floor = floorMarking === null ? 'Marking no longer raised' : `Marking lowered to ${floorMarking}`;
      return { item, message: `${floor}: the item is ${classificationMarking}` };
    },
  }),
);
