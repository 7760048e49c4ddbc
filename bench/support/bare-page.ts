// The jobs page hand-written with pg in a bare HTTP server: the limit that the API is measured against. One statement.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'pg';

const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 10 });

const PAGE = `
  select j.id, j.kind, j.state, j.created_at as "createdAt", j.finished_at as "finishedAt",
    json_build_object('processedItems', j.processed_items, 'totalItems', j.total_items, 'errorCount', j.error_count) as progress,
    coalesce((select json_agg(json_build_object('id', s.id, 'name', s.name) order by s.name) from data_source s
      where s.id in (select p.data_source_id from job_partition p where p.job_id = j.id)), '[]') as "dataSources"
  from job j order by j.id desc limit 21`;

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', async () => {
    JSON.parse(Buffer.concat(chunks).toString());
    const { rows } = await pool.query({ name: 'page', text: PAGE });
    const page = rows.slice(0, 20);
    const body = JSON.stringify({
      data: {
        jobs: {
          edges: page.map((node: { id: string }) => ({ cursor: node.id, node })),
          pageInfo: { hasNextPage: rows.length > 20, endCursor: page.at(-1)?.id },
        },
      },
    });
    response.writeHead(200, { 'content-type': 'application/json' }).end(body);
  });
});
server.listen(0, '127.0.0.1', () => {
  process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
});
process.once('disconnect', () => process.exit());
