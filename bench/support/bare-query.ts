// The names of the sources by pg in a bare HTTP server: what the machine alone adds to a small query while a sync runs.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'pg';

const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 10 });

const server = createServer((request, response) => {
  request.resume().on('end', async () => {
    const { rows } = await pool.query({ name: 'names', text: 'select name from data_source order by name' });
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ data: { dataSources: rows } }));
  });
});
server.listen(0, '127.0.0.1', () => {
  process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
});
process.once('disconnect', () => process.exit());
