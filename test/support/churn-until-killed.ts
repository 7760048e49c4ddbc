// node churn-until-killed.ts FOLDER: opens the database there, makes, fills, shrinks and drops tables one after the other, and
// says the number of each. Files come, grow, shrink and go all the time, those of the write-ahead log too.
import { Client } from 'pg';
import { openDatabase } from '../../src/database/open-database.ts';

const [folder = ''] = process.argv.slice(2);
const database = await openDatabase({ folder });
const client = new Client({ connectionString: database.connectionString });
await client.connect();
await client.query('create table if not exists kept (number int, filling text)');
const { rows } = await client.query('select coalesce(max(number), 0) as last from kept');
for (let number = Number(rows[0].last) + 1; ; number++) {
  const table = `churn_${number % 7}`;
  await client.query(`drop table if exists ${table}`);
  await client.query(
    `create table ${table} as select n, repeat(md5(n::text), 20) as filling from generate_series(1, 3000) as n`,
  );
  await client.query(`create index on ${table} (n)`);
  await client.query(`delete from ${table} where n > 1000`);
  await client.query(`vacuum ${table}`);
  if (number % 3 === 0) await client.query(`truncate ${table}`);
  if (number % 5 === 0) await client.query('checkpoint');
  await client.query('insert into kept values ($1, $2)', [number, 'x'.repeat(2_000)]);
  process.stdout.write(`${number}\n`);
}
