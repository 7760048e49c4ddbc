import { z } from 'zod';
import type { IssueParams } from '../shared/invalid-input.ts';
import type { DataTypes } from './data-types.ts';

/** Creates the schema of the name of a known data type. */
export function createDataTypeSchema(dataTypes: DataTypes) {
  return z.string().refine((name) => dataTypes.find(name) !== undefined, {
    error: ({ input }) => dataTypes.describeUnknown(String(input)),
    params: { code: 'UNKNOWN' } satisfies IssueParams,
  });
}
