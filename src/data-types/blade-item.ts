import type { Marking } from './marking.ts';

/** An item in the form that is sent to the catalog. */
export interface BladeItem {
  readonly dataType: string;
  readonly itemId: string;
  readonly classificationMarking: Marking;
  /** The whole row as JSON text, including unknown columns. */
  readonly data: string;
  /** Where the item came from and what query jobs added, as JSON text. */
  readonly metadata: string;
  /** The part of the metadata that query jobs added, as JSON text; null if none has. */
  readonly queryMetadata: string | null;
  /** A base64url SHA-256 that changes if and only if the row, or what its job turns it into, changes. */
  readonly contentHash: string;
}

/** An item made from one row only, checked and ready to store. */
export interface RowItem extends BladeItem {
  /** Whether the row states a marking. Otherwise the item has the default of its data type, and lowers no stored marking. */
  readonly statesMarking: boolean;
}

/** What an id begins with that was derived from all columns of a row without one. */
export const DERIVED_ID = 'sha256-';

/** Creates the id of an item in the catalog. */
export function toCatalogId(dataType: string, itemId: string): string {
  return `BLADE-${dataType}-${itemId}`;
}
