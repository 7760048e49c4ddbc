// The jobs page by hand. One statement.
import { serveStatement } from './bare-server.ts';

const PAGE = `
  select j.id, j.kind, j.state, j.created_at as "createdAt", j.finished_at as "finishedAt",
    json_build_object('processedItems', j.processed_items, 'totalItems', j.total_items, 'errorCount', j.error_count) as progress,
    coalesce((select json_agg(json_build_object('id', s.id, 'name', s.name) order by s.name) from data_source s
      where s.id in (select p.data_source_id from job_partition p where p.job_id = j.id)), '[]') as "dataSources"
  from job j order by j.id desc limit 21`;

serveStatement({ name: 'page', text: PAGE }, (rows) => {
  const page = rows.slice(0, 20);
  return {
    jobs: {
      edges: page.map((node: { id: string }) => ({ cursor: node.id, node })),
      pageInfo: { hasNextPage: rows.length > 20, endCursor: page.at(-1)?.id },
    },
  };
});
