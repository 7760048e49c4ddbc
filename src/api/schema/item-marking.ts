import type { BladeItem } from '../../database/generated/prisma/client.ts';
import { ItemNotFoundError, MarkingFloorChangedError, NoMarkingFloorError } from '../../jobs/item-errors.ts';
import { lowerItemMarkingInputSchema } from '../../jobs/lower-marking.ts';
import { InvalidInputError } from '../../shared/invalid-input.ts';
import { builder } from './builder.ts';
import { BladeItemNode } from './item.ts';
import { requires } from './requires.ts';

const LowerItemMarkingInput = builder
  .inputType('LowerItemMarkingInput', {
    description: 'Which raised marking to lower, and to what.',
    fields: (t) => ({
      dataType: t.string({ required: true, description: 'The data type of the item.' }),
      itemId: t.string({
        required: true,
        description: 'The id of the item among those of its data type.',
      }),
      expectedFloor: t.string({
        required: true,
        description:
          "The marking of the item's `markingFloor` as you saw it. If it is another by now, nothing is lowered.",
      }),
      newFloor: t.string({
        description:
          'The marking below which the item does not fall from now on, lower than the present one. No floor at all when left out.',
      }),
      reason: t.string({
        required: true,
        description: 'Why, in at most 1,000 characters. It is in the audit, and stays with the new floor.',
      }),
    }),
  })
  .validate(lowerItemMarkingInputSchema);

const LowerItemMarkingSuccess = builder
  .objectRef<{ item: BladeItem; message: string }>('LowerItemMarkingSuccess')
  .implement({
    description: 'The floor is lowered, and the item is uploaded again with its new marking.',
    fields: (t) => ({
      item: t.field({
        type: BladeItemNode,
        description:
          'The item as it is now. It has the highest marking of what its sources state and its floor.',
        resolve: ({ item }) => item,
      }),
      message: t.exposeString('message', { description: 'What was done, for people.' }),
    }),
  });

builder.mutationField('lowerItemMarking', (t) =>
  t.field({
    authScopes: requires('operator'),
    type: LowerItemMarkingSuccess,
    description:
      'Lowers the raised marking of an item that your clearance covers, or takes it away. Metadata of query jobs with a higher marking is removed from the item, because it names them. The audit keeps who lowered it and why.',
    args: {
      input: t.arg({ required: true, type: LowerItemMarkingInput, description: 'Which marking to lower.' }),
    },
    errors: {
      types: [InvalidInputError, ItemNotFoundError, NoMarkingFloorError, MarkingFloorChangedError],
      union: { name: 'LowerItemMarkingResult', description: 'What came of lowering a marking.' },
    },
    resolve: async (_root, { input }, { jobs }) => {
      const item = await jobs.lowerItemMarking(input);
      const { floorMarking, classificationMarking } = item;
      const floor = floorMarking === null ? 'Marking no longer raised' : `Marking lowered to ${floorMarking}`;
      return { item, message: `${floor}: the item is ${classificationMarking}` };
    },
  }),
);
