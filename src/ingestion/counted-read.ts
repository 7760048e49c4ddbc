import type { RowBatch } from '../warehouse/warehouse.ts';

/** The number of rows read differs from the number planned. */
export class RowCountError extends Error {
  override readonly name = 'RowCountError';

  constructor(counted: number, read: number) {
    const [expected, found] = [counted, read].map((rows) => rows.toLocaleString('en-US'));
    super(
      `${expected} ${counted === 1 ? 'row was' : 'rows were'} counted, but ${found} ${read === 1 ? 'was' : 'were'} read.`,
    );
  }
}

/** A read whose completeness is checked only after its rows are stored and uploaded. */
export interface CountedRead {
  /** Ends after the last row, at the signal, or at an error. */
  readonly batches: AsyncIterable<RowBatch>;
  /**
   * Checks that every row was read. Does nothing after the signal.
   * @throws the error that ended the read; RowCountError if the number of rows differs from the plan.
   */
  checkEnd(): void;
  /** Ends the read wherever it is. @returns once nothing of it works any more. */
  close(): Promise<void>;
}

export interface ReadToCount {
  readonly batches: AsyncIterable<RowBatch>;
  /** Rows that an earlier attempt read. */
  readonly rowsBefore: number;
  /** The total number of rows expected; null if they were not counted. */
  readonly plannedRows: number | null;
  readonly signal: AbortSignal;
}

/** Counts the rows of a read, and holds its error back until `checkEnd`. */
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
