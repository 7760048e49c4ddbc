import { arrow } from '../../../src/warehouse/spark-sql/arrow.ts';
import type { SparkEngine } from './connect.ts';

/** Reads a result with Arrow's own library: texts and numbers only. */
export async function selectRows(engine: SparkEngine, sql: string): Promise<Record<string, unknown>[]> {
  const execution = engine.execute(sql, []);
  const { arrowSchema } = await execution.ready;
  const rows: Record<string, unknown>[] = [];
  for (let page = await execution.next(1_000_000); page !== null; page = await execution.next(1_000_000)) {
    const table = arrow.tableFromIPC(Buffer.concat([arrowSchema, page.toBatch()]));
    for (const row of table) rows.push({ ...row?.toJSON() });
  }
  return rows;
}
