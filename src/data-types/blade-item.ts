import type { Marking } from './marking.ts';

/** A row of the warehouse, checked and ready to be stored and uploaded. */
export interface BladeItem {
  readonly dataType: string;
  readonly itemId: string;
  readonly classificationMarking: Marking;
  /** The whole row as JSON text, unknown columns included. */
  readonly data: string;
  /** Where the item came from and what a query job added, as JSON text. */
  readonly metadata: string;
  /** Changes exactly when marking, data or metadata change: base64url SHA-256. */
  readonly contentHash: string;
}

/** The name of an item in the catalog. */
export function catalogIdOf(dataType: string, itemId: string): string {
  return `BLADE-${dataType}-${itemId}`;
}
