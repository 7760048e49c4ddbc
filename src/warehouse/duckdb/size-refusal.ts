import { WarehouseError } from '../warehouse.ts';

/** The refusal of what no question for room or time helps against. */
export function sizeRefusal(what: string): WarehouseError {
  return new WarehouseError('STATEMENT_FAILED', `${what} cannot be used here.`);
}
