import { builder } from './builder.ts';

/** Creates the input of a mutation that only needs to know what it is about. */
export function createIdInput(name: string, description: string, idDescription: string) {
  return builder.inputType(name, {
    description,
    fields: (t) => ({ id: t.id({ required: true, description: idDescription }) }),
  });
}
