// node write-until-killed.ts FOLDER: opens the database there, writes row after row, and prints the number of each.
import { Client } from 'pg';
import { openDatabase } from '../../src/database/open-database.ts';

const [folder = ''] = process.argv.slice(2);
const database = await openDatabase({ folder });
const client = new Client({ connectionString: database.connectionString });
await client.connect();
await client.query('create table written (id int primary key)');
for (let id = 1; ; id++) {
  await client.query('insert into written values ($1)', [id]);
  process.stdout.write(`${id}\n`);
}
