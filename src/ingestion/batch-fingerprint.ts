import { hash } from 'node:crypto';
import type { DataType } from '../data-types/data-type.ts';
import { version } from '../shared/version.ts';
import type { RowBatch } from '../warehouse/warehouse.ts';
import type { TransformOptions } from './transform.ts';

/**
 * Creates a function that fingerprints batches: equal if and only if the rows, their order and the items they become are
 * equal. The version of the program is included, because another version may have other rules.
 * @returns null for a batch that the warehouse cannot fingerprint.
 */
export function createBatchFingerprint(transform: TransformOptions): (batch: RowBatch) => string | null {
  const { dataType, sourceMetadata, hashedMetadata = sourceMetadata } = transform;
  const { extraMetadata = {}, lowestMarking = null } = transform;
  const rules = JSON.stringify([version, pickFacts(dataType), hashedMetadata, extraMetadata, lowestMarking]);
  return ({ fingerprint }) =>
    fingerprint === null ? null : hash('sha256', `${rules}\n${fingerprint}`, 'base64url');
}

function pickFacts({ name, defaultMarking, identifyingColumns, columns }: DataType) {
  return { name, defaultMarking, identifyingColumns, columns };
}
