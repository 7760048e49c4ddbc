import { WarehouseError } from '../../warehouse.ts';

/** A construct whose value on the folder would not be the one of Databricks. */
class NotOnFolderError extends WarehouseError {
  /** Whether it is refused whatever the types of its columns are. */
  readonly isCertain: boolean;

  constructor(message: string, isCertain: boolean) {
    super('STATEMENT_FAILED', message);
    this.isCertain = isCertain;
  }
}

/** Reads what was refused from an error; null where it is another one. */
export function readRefusal(
  error: unknown,
): { readonly message: string; readonly isCertain: boolean } | null {
  if (!(error instanceof WarehouseError) || !('isCertain' in error)) return null;
  return { message: error.message, isCertain: error.isCertain === true };
}

/** Refuses a construct whose value on the folder would not be the one of Databricks. */
export function refuseOnFolder(what: string, instead = ''): never {
  throw new NotOnFolderError(describe(what, instead), false);
}

/** Refuses a function that the folder does not have. */
export function refuseFunction(name: string): never {
  throw new NotOnFolderError(describe(`${name}()`, ''), true);
}

function describe(what: string, instead: string): string {
  return `${what} is not available on the folder warehouse${instead === '' ? '' : `: ${instead}`}.`;
}
