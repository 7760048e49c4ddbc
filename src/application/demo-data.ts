import type { PrismaClient } from '../database/generated/prisma/client.ts';
import { createDemoTables, DEMO_SOURCES, hasDemoTables } from '../warehouse/demo/demo-tables.ts';

/**
 * Creates something to sync in a new installation: tables in an empty folder warehouse, and their sources in a database
 * without sources and jobs. In any other database, an empty warehouse has lost its tables.
 */
export async function createDemoData(prisma: PrismaClient, warehouseFolder: string): Promise<void> {
  const [sources, jobs] = await Promise.all([prisma.dataSource.count(), prisma.job.count()]);
  if (sources > 0 || jobs > 0) return;
  await createDemoTables(warehouseFolder);
  if (!(await hasDemoTables(warehouseFolder))) return;
  await prisma.dataSource.createMany({
    data: DEMO_SOURCES.map(({ name, dataType, table, cursorColumn }) => ({
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
