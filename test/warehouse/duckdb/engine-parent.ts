// node engine-parent.ts FOLDER SQL MEGABYTES: runs a statement in a folder warehouse, and says when it is about to.
import { ANY_SCHEMA } from '../../../src/sql-check/allowed-schemas.ts';
import { parseStatement } from '../../../src/sql-check/parse-statement.ts';
import { openFolderWarehouse } from '../../../src/warehouse/duckdb/open.ts';

const [folder = '', sql = '', megabytes = ''] = process.argv.slice(2);
const warehouse = await openFolderWarehouse({ folder, memoryMegabytes: Number(megabytes) });
const statement = parseStatement({ sql, parameters: {} }, ANY_SCHEMA);
const signal = new AbortController().signal;
const { batches } = await warehouse.readRows(statement, { batchSize: 1_000, resumeAfter: null, signal });
process.send?.('started');
for await (const { size } of batches) process.send?.(size);
