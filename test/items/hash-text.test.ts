import { expect } from 'vitest';
import { hashIds } from '../../src/items/seen-ids.ts';
import { test } from '../support/on-every-database.ts';

test('ids are hashed as the database hashes them', async ({ database }) => {
  const texts = Array.from({ length: 300 }, (_none, length) => 'BLADE-Ünïcödé €𝄞'.repeat(20).slice(0, length))
    .filter((text) => text.isWellFormed())
    .concat('x'.repeat(5_000));
  const { rows } = await database.pool.query<{ hash: Buffer }>(
    'select int8send(hashtextextended(id, 0)) as hash from unnest($1::text[]) with ordinality as u (id, place) order by place',
    [texts],
  );
  expect(rows).toHaveLength(texts.length);
  expect(hashIds(texts)).toEqual(Buffer.concat(rows.map(({ hash }) => hash)));
});
