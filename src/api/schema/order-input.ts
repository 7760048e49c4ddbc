import { builder } from './builder.ts';

/** An order of a list, as clients ask for it. */
export interface ListOrder<Field extends string> {
  readonly field: Field;
  readonly direction: OrderDirection;
}

export type OrderDirection = 'ASC' | 'DESC';

const OrderDirectionEnum = builder.enumType('OrderDirection', {
  description: 'Direction of an order.',
  values: {
    ASC: { description: 'From the least to the greatest: the oldest first, or A first.' },
    DESC: { description: 'From the greatest to the least: the newest first, or Z first.' },
  } as const,
});

/**
 * Creates the input type of the order of a list.
 * @param things what the list contains, in the plural.
 * @param fields what it can be ordered by, with descriptions.
 */
export function createOrderInput<Field extends string>(
  name: `${string}Order`,
  things: string,
  fields: Readonly<Record<Field, string>>,
) {
  const fieldEnum = builder.enumType(`${name}Field`, {
    description: `What a list of ${things} can be ordered by.`,
    values: Object.fromEntries(
      Object.entries<string>(fields).map(([field, description]) => [field, { description }]),
    ) as Record<Field, { description: string }>,
  });
  return builder.inputType(name, {
    description: `Order of a list of ${things}.`,
    fields: (t) => ({
      field: t.field({ type: fieldEnum, required: true, description: 'What to order by.' }),
      direction: t.field({
        type: OrderDirectionEnum,
        required: true,
        description: 'Direction of the order.',
      }),
    }),
  });
}
