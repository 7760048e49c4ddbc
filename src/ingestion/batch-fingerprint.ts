import { hash } from 'node:crypto';
import type { DataType } from '../data-types/data-type.ts';
import { version } from '../shared/version.ts';
import type { TransformOptions } from './transform.ts';

/**
 * Creates a function that converts the fingerprint of rows to that of the items they become: equal if and only if the rows,
 * their order and the items are equal. The version of the program is included, because another version may have other rules.
 */
export function createBatchFingerprint(transform: TransformOptions): (fingerprint: string) => string {
  const { dataType, sourceMetadata, hashedMetadata = sourceMetadata } = transform;
  const { extraMetadata = {}, lowestMarking = null, cursor } = transform;
  const facts = [version, ITEM_RULES, pickFacts(dataType), hashedMetadata, extraMetadata, lowestMarking];
  const rules = JSON.stringify(cursor === undefined ? facts : [...facts, cursor]);
  return (fingerprint) => hash('sha256', `${rules}\n${fingerprint}`, 'base64url');
}

/** Raised when rows become other items within a version of the program: 2 since texts of numbers are numbers in numeric columns. */
const ITEM_RULES = 2;

function pickFacts({ name, defaultMarking, identifyingColumns, columns }: DataType) {
  return { name, defaultMarking, identifyingColumns, columns };
}
