import { warehouseTests } from '../../src/testing/warehouse-tests.ts';
import { onEveryFront } from '../support/on-spark.ts';
import { writeSparkTable } from '../support/spark/write-table.ts';

onEveryFront((test) => {
  const names = warehouseTests(() => Promise.reject(new Error('only their names are asked for')));
  test.for(names.map(({ name }) => name))(
    'Spark keeps what every warehouse promises: %s',
    async (wanted, { engine, front, folder }) => {
      await engine.run('CREATE DATABASE IF NOT EXISTS blade.field');
      const tests = warehouseTests(async () => ({
        warehouse: front.openWarehouse(),
        writeTable: (table) => writeSparkTable(engine, folder, table),
      }));
      await tests.find(({ name }) => name === wanted)?.run();
    },
  );
});
