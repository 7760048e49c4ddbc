import { z } from 'zod';
import { dataTypeNames, findDataType } from './registry.ts';

/** The name of a known data type. */
export const dataTypeSchema = z.string().refine((name) => findDataType(name) !== undefined, {
  error: ({ input }) =>
    `there is no data type ${JSON.stringify(input)}; known are ${dataTypeNames.join(', ')}`,
});
