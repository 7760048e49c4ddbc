import { listMarkingsUpTo } from '../../data-types/marking.ts';
import type { DataSource } from '../../database/generated/prisma/client.ts';
import { createLoader } from '../../shared/loader.ts';
import type { ApiContext } from '../context.ts';
import { builder } from './builder.ts';
import { DataSourceNode } from './data-source.ts';
import { declareColumns } from './read-columns.ts';

interface WaitingRemovals {
  readonly id: string;
  readonly count: number;
  readonly message: string | null;
}

const loadRemovals = createLoader(async ({ prisma, principal }: ApiContext, ids: readonly string[]) => {
  const markings = [...listMarkingsUpTo(principal.clearance)];
  const rows = await prisma.$queryRaw<WaitingRemovals[]>`
    select r.data_source_id::text as id, count(*)::int as count,
      (array_agg(r.message order by r.retry_at desc) filter (where r.message is not null))[1] as message
    from public.item_removal r
    join public.blade_item i on i.data_type = r.data_type and i.item_id = r.item_id and i.deleted_at is not null
    where r.data_source_id = any(${[...new Set(ids)]}::uuid[]) and i.classification_marking = any(${markings}) group by 1`;
  return new Map(rows.map((row) => [row.id, row]));
});

builder.prismaObjectFields(DataSourceNode, (t) => ({
  pendingRemovals: t.field({
    type: 'SafeInt',
    description:
      'Deleted items that wait to be removed from the catalog and that your clearance covers. They are removed within a minute or so, unless `removalMessage` says why not.',
    extensions: declareColumns<DataSource>(),
    resolve: async ({ id }, _args, context) => (await loadRemovals(context, id)).get(id)?.count ?? 0,
  }),
  removalMessage: t.string({
    nullable: true,
    description:
      'Why items of the source could not be removed from the catalog, and what to do; null if none failed. It is tried again for as long as they wait.',
    extensions: declareColumns<DataSource>(),
    resolve: async ({ id }, _args, context) => (await loadRemovals(context, id)).get(id)?.message ?? null,
  }),
}));
