import { ExpectedError } from '../shared/expected-error.ts';

/** No item has the data type and id, or its marking is above the clearance of the caller. */
export class ItemNotFoundError extends ExpectedError {
  override readonly name = 'ItemNotFoundError';
  readonly dataType: string;
  readonly itemId: string;

  constructor({ dataType, itemId }: { readonly dataType: string; readonly itemId: string }) {
    super(`there is no ${dataType} item ${itemId}`);
    this.dataType = dataType;
    this.itemId = itemId;
  }
}

/** Nobody has raised the marking of the item, so there is nothing to lower. */
export class NoMarkingFloorError extends ExpectedError {
  override readonly name = 'NoMarkingFloorError';
  readonly classificationMarking: string;

  constructor({ dataType, itemId }: { readonly dataType: string; readonly itemId: string }, marking: string) {
    super(
      `the marking of ${dataType} item ${itemId} was not raised: ${marking} is what its sources state, and only they can lower it`,
    );
    this.classificationMarking = marking;
  }
}

/** The marking of the item was raised or lowered in the meantime. */
export class MarkingFloorChangedError extends ExpectedError {
  override readonly name = 'MarkingFloorChangedError';
  readonly floor: string;

  constructor(
    { dataType, itemId }: { readonly dataType: string; readonly itemId: string },
    floor: string,
    expected: string,
  ) {
    super(
      `the marking of ${dataType} item ${itemId} is raised to ${floor}, not to ${expected}: look at the item again before you lower it`,
    );
    this.floor = floor;
  }
}
