import { z } from 'zod';
import { builder } from './builder.ts';

/** A key and a value that people use to find jobs. */
export interface Label {
  readonly key: string;
  readonly value: string;
}

export const LabelType = builder.objectRef<Label>('Label').implement({
  description: 'What the person who started a job calls it by.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'Unique among the labels of the job.' }),
    value: t.exposeString('value', { description: 'Value of the label.' }),
  }),
});

export const LabelInput = builder.inputType('LabelInput', {
  description: 'A label of a job. Everybody who sees the job sees its labels.',
  fields: (t) => ({
    key: t.string({
      required: true,
      description: '1 to 63 letters, digits and `. _ / -`, which begin and end with a letter or digit.',
    }),
    value: t.string({ required: true, description: 'At most 255 characters.' }),
  }),
});

const labelsSchema = z.record(z.string(), z.string());

/** Reads the labels of a stored job, sorted by their keys. */
export function readLabels({ labels }: { readonly labels: unknown }): Label[] {
  return Object.entries(labelsSchema.parse(labels))
    .map(([key, value]) => ({ key, value }))
    .sort((one, other) => (one.key < other.key ? -1 : 1));
}
