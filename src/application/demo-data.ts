import type { PrismaClient } from '../database/generated/prisma/client.ts';
import { createDemoTables, demoSources, hasDemoTables } from '../warehouse/demo/demo-tables.ts';

/**
 * Gives a new installation something to sync: tables in an empty folder warehouse, and sources for them in a database
 * that has seen neither a source nor a job. In any other, an empty warehouse is one whose tables were lost.
 * @param warehouseFolder the folder warehouse.
 */
export async function createDemoData(prisma: PrismaClient, warehouseFolder: string): Promise<void> {
  const [sources, jobs] = await Promise.all([prisma.dataSource.count(), prisma.job.count()]);
  if (sources > 0 || jobs > 0) return;
  await createDemoTables(warehouseFolder);
  if (!(await hasDemoTables(warehouseFolder))) return;
  await prisma.dataSource.createMany({
    data: demoSources.map(({ name, dataType, table, cursorColumn }) => ({
      name,
      dataType,
      catalogName: table.catalog,
      schemaName: table.schema,
      tableName: table.table,
      cursorColumn,
    })),
    // Another process may have created them first.
    skipDuplicates: true,
  });
}
