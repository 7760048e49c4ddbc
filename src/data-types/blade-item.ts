import type { Marking } from './marking.ts';

/** An item as the catalog gets it. */
export interface BladeItem {
  readonly dataType: string;
  readonly itemId: string;
  readonly classificationMarking: Marking;
  /** The whole row as JSON text, unknown columns included. */
  readonly data: string;
  /** Where the item came from and what query jobs added, as JSON text. */
  readonly metadata: string;
  /** The part of the metadata that query jobs added, as JSON text; null where none has. */
  readonly queryMetadata: string | null;
  /** Changes exactly when the row or what its job makes of it changes: base64url SHA-256. */
  readonly contentHash: string;
}

/** An item as its row alone has it, checked and ready to be stored. */
export interface RowItem extends BladeItem {
  /** Whether the row has a marking. One without has the default of its data type, and lowers no marking that there is. */
  readonly statesMarking: boolean;
}

/** The name of an item in the catalog. */
export function catalogIdOf(dataType: string, itemId: string): string {
  return `BLADE-${dataType}-${itemId}`;
}
