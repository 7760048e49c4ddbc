import { hash } from 'node:crypto';
import type { DataType } from '../data-types/data-type.ts';
import { version } from '../shared/version.ts';
import type { RowBatch } from '../warehouse/warehouse.ts';
import type { TransformOptions } from './transform.ts';

/**
 * Tells the batches of one transform by their fingerprints: the same for the same rows in the same order where these become
 * the same items. Another version of the program may have other rules.
 * @returns null for a batch whose rows the warehouse cannot tell from others.
 */
export function createBatchFingerprint(transform: TransformOptions): (batch: RowBatch) => string | null {
  const { dataType, sourceMetadata, hashedMetadata = sourceMetadata } = transform;
  const { extraMetadata = {}, leastMarking = null } = transform;
  const rules = JSON.stringify([version, factsOf(dataType), hashedMetadata, extraMetadata, leastMarking]);
  return ({ fingerprint }) =>
    fingerprint === null ? null : hash('sha256', `${rules}\n${fingerprint}`, 'base64url');
}

function factsOf({ name, defaultMarking, identifyingColumns, columns }: DataType) {
  return { name, defaultMarking, identifyingColumns, columns };
}
