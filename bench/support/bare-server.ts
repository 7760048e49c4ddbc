import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool, type QueryConfig, type QueryResult } from 'pg';

/**
 * Answers each request with what a statement gives, by pg in a bare HTTP server: the limit that the API is measured
 * against. Tells its parent the URL, and ends with it.
 * @param toData makes the data of the answer.
 */
export function serveStatement(statement: QueryConfig, toData: (rows: QueryResult['rows']) => object): void {
  const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      JSON.parse(Buffer.concat(chunks).toString());
      const { rows } = await pool.query(statement);
      const body = JSON.stringify({ data: toData(rows) });
      response.writeHead(200, { 'content-type': 'application/json' }).end(body);
    });
  });
  server.listen(0, '127.0.0.1', () => {
    process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  });
  process.once('disconnect', () => process.exit());
}
