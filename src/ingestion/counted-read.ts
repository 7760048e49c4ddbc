import type { RowBatch } from '../warehouse/warehouse.ts';

/** A source gave another number of rows than its plan counted. */
export class RowCountError extends Error {
  override readonly name = 'RowCountError';

  constructor(counted: number, came: number) {
    const [expected, found] = [counted, came].map((rows) => rows.toLocaleString('en-US'));
    super(`${expected} ${counted === 1 ? 'row was' : 'rows were'} counted, and ${found} came.`);
  }
}

/** A read that is judged after everything it gave has been stored and uploaded. */
export interface CountedRead {
  /** Ends after the last row, at the signal, and where the read broke off. */
  readonly batches: AsyncIterable<RowBatch>;
  /**
   * Checks that every row came. Does nothing after the signal.
   * @throws the error that the read broke off with; RowCountError for another number of rows than was planned.
   */
  checkEnd(): void;
  /** Ends the read wherever it is. @returns once nothing of it works any more. */
  close(): Promise<void>;
}

export interface ReadToCount {
  readonly batches: AsyncIterable<RowBatch>;
  /** Rows that an earlier attempt read. */
  readonly rowsBefore: number;
  /** How many there must be in all; null where nobody has counted them. */
  readonly plannedRows: number | null;
  readonly signal: AbortSignal;
}

/** Counts the rows of a read, and keeps its error until it is asked for. */
export function countRead({ batches, rowsBefore, plannedRows, signal }: ReadToCount): CountedRead {
  let rows = rowsBefore;
  let failure: { readonly error: unknown } | null = null;

  async function* read(): AsyncGenerator<RowBatch> {
    try {
      for await (const batch of batches) {
        if (signal.aborted) return;
        rows += batch.size;
        yield batch;
      }
    } catch (error) {
      failure = { error };
    }
  }

  const reading = read();
  return {
    batches: reading,
    async close() {
      await reading.return(undefined);
    },
    checkEnd() {
      if (signal.aborted) return;
      if (failure !== null) throw failure.error;
      if (plannedRows !== null && rows !== plannedRows) throw new RowCountError(plannedRows, rows);
    },
  };
}
