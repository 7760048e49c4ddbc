import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkFilter, checkQuery } from '../../src/sql-check/statement.ts';

/** Statements of Databricks that are no SELECT, each of its kind. */
const OTHERS = [
  ...[
    'INSERT INTO a.b.c SELECT 1',
    'INSERT OVERWRITE a.b.c VALUES (1)',
    'INSERT INTO a.b.c REPLACE WHERE x = 1 SELECT 1',
  ],
  ...['FROM a.b.c INSERT INTO d.e.f SELECT x', 'WITH w AS (SELECT 1) INSERT INTO a.b.c SELECT * FROM w'],
  ...[
    'WITH w AS (SELECT 1) FROM w INSERT INTO a.b.c SELECT *',
    'UPDATE a.b.c SET x = 1',
    'DELETE FROM a.b.c',
  ],
  ...[
    'MERGE INTO a.b.c USING d.e.f ON true WHEN MATCHED THEN DELETE',
    "COPY INTO a.b.c FROM '/x' FILEFORMAT = CSV",
  ],
  ...["LOAD DATA INPATH '/x' INTO TABLE a.b.c", 'TRUNCATE TABLE a.b.c', 'CREATE TABLE a.b.c AS SELECT 1'],
  ...[
    'CREATE OR REPLACE TEMPORARY VIEW v AS SELECT 1',
    'CREATE FUNCTION f() RETURNS INT RETURN 1',
    'DROP TABLE a.b.c',
  ],
  ...['ALTER TABLE a.b.c ADD COLUMN x INT', 'UNDROP TABLE a.b.c', "COMMENT ON TABLE a.b.c IS 'x'"],
  ...[
    'GRANT SELECT ON TABLE a.b.c TO x',
    'REVOKE SELECT ON TABLE a.b.c FROM x',
    'DENY SELECT ON TABLE a.b.c TO x',
  ],
  ...[
    'EXPLAIN SELECT 1',
    'EXPLAIN EXTENDED SELECT 1',
    'SET x = 1',
    'SET VAR x = 1',
    'SET VARIABLE x = (SELECT 1)',
    'RESET x',
  ],
  ...['SET TIME ZONE LOCAL', 'CALL a.b.c(1)', "EXECUTE IMMEDIATE 'DROP TABLE a.b.c'", 'BEGIN SELECT 1; END'],
  ...[
    'BEGIN ATOMIC DELETE FROM a.b.c; END',
    'DECLARE VARIABLE x INT',
    'CACHE TABLE a.b.c',
    'CACHE SELECT * FROM a.b.c',
  ],
  ...[
    'CACHE LAZY TABLE t AS SELECT 1',
    'UNCACHE TABLE a.b.c',
    'CLEAR CACHE',
    'REFRESH TABLE a.b.c',
    'REFRESH FUNCTION f',
  ],
  ...[
    'ANALYZE TABLE a.b.c COMPUTE STATISTICS',
    'USE a.b',
    'USE CATALOG a',
    'SHOW TABLES',
    'DESCRIBE a.b.c',
    'DESC HISTORY a.b.c',
  ],
  ...[
    'OPTIMIZE a.b.c',
    'VACUUM a.b.c RETAIN 0 HOURS',
    'RESTORE TABLE a.b.c TO VERSION AS OF 1',
    'FSCK REPAIR TABLE a.b.c',
  ],
  ...[
    'MSCK REPAIR TABLE a.b.c',
    'REORG TABLE a.b.c APPLY (PURGE)',
    'CONVERT TO DELTA a.b.c',
    'CLONE a.b.c',
    "LIST '/x'",
  ],
  ...[
    "PUT '/x' INTO '/y' OVERWRITE",
    "GET '/x' TO '/y'",
    "REMOVE '/x'",
    'ADD JAR x',
    'LOCK TABLE a.b.c',
    'KILL 1',
    'COMMIT TRANSACTION',
  ],
  ...[
    'START TRANSACTION',
    "SIGNAL SQLSTATE '45000'",
    'SYNC SCHEMA a.b FROM c.d',
    'GENERATE symlink_format_manifest FOR TABLE a.b.c',
  ],
  ...[
    'INSERT INTO TABLE a.b.c TABLE d.e.f',
    "EXPORT DATABASE '/x'",
    'INSTALL httpfs',
    "ATTACH 'x' AS y",
    "COPY a TO 'x'",
  ],
];

/** Ways to make another statement look like a part of a SELECT, or to hide that it is none. */
const DISGUISES: readonly ((statement: string) => string)[] = [
  (statement) => statement,
  (statement) => `/* SELECT */ ${statement}`,
  (statement) => `-- SELECT 1\n${statement}`,
  (statement) => `/* /* SELECT */ 1 */ ${statement}`,
  (statement) => `/*+ SELECT */ ${statement}`,
  (statement) => `(${statement})`,
  (statement) => `((${statement}))`,
  (statement) => `SELECT 1; ${statement}`,
  (statement) => `SELECT 1 /* ; */; ${statement}`,
  (statement) => `SELECT '; ' ; ${statement} --`,
  (statement) => `${statement}; SELECT 1`,
  (statement) => `; ${statement}`,
  (statement) => `SELECT 1 |> ${statement}`,
  (statement) => `FROM a.b.c |> ${statement}`,
  (statement) => `WITH w AS (${statement}) SELECT * FROM w`,
  (statement) => `WITH w AS (SELECT 1) ${statement}`,
  (statement) => `WITH w AS (VALUES (1)) ${statement}`,
  (statement) => `WITH RECURSIVE w AS (SELECT 1 UNION ALL (${statement})) SELECT * FROM w`,
  (statement) => `SELECT * FROM (${statement})`,
  (statement) => `SELECT * FROM (${statement}) AS t`,
  (statement) => `SELECT * FROM a.b.c WHERE x IN (${statement})`,
  (statement) => `SELECT * FROM a.b.c WHERE EXISTS (${statement})`,
  (statement) => `SELECT (${statement})`,
  (statement) => `SELECT 1 UNION ALL ${statement}`,
  (statement) => `SELECT 1 UNION ALL (${statement})`,
  (statement) => `SELECT * FROM a.b.c, LATERAL (${statement})`,
  (statement) => `SELECT * FROM a.b.c PIVOT (sum(x) FOR y IN ((${statement})))`,
  (statement) => `SELECT * FROM VALUES (1), (${statement})`,
  (statement) => `SELECT * FROM VALUES 1, (${statement})`,
  (statement) => `SELECT 1 LIMIT CAST((${statement}) AS INT)`,
  (statement) => `SELECT NOT x LIKE ALL ((${statement})) FROM a.b.c`,
  (statement) => `EXPLAIN ${statement}`,
  (statement) => `BEGIN ${statement}; END`,
  (statement) => `BEGIN SELECT 1; ${statement}; END`,
  (statement) => `EXECUTE IMMEDIATE '${statement.replaceAll("'", "''")}'`,
  (statement) => `IF (true) THEN ${statement}; END IF`,
  (statement) => `SELECT CASE WHEN true THEN (${statement}) END`,
];

describe('no statement other than a SELECT is let in', () => {
  test.each(OTHERS)('%s, in every disguise', (statement) => {
    for (const disguise of DISGUISES) {
      const sql = disguise(statement);
      for (const text of [sql, `${sql};`, sql.toLowerCase(), sql.replaceAll(' ', '/* a /* b */ */')]) {
        expect(checkQuery(text), text).toMatchObject({ ok: false });
        expect(checkFilter(text), text).toMatchObject({ ok: false });
      }
    }
  });
});

/** Text that ends quotes and comments where a reader without their rules would end them. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...[
          "'",
          '"',
          '`',
          '/*',
          '*/',
          '--',
          '\n',
          '\\',
          '/*+',
          ';',
          '?',
          '$1',
          '@x',
          '|>',
          '!',
          '>>>',
          'r',
          '(',
          ')',
          ':a',
        ],
        ...[
          'DROP TABLE a.b.c',
          'INSERT INTO a.b.c',
          'SELECT',
          'LIMIT ALL',
          'read_csv(',
          'NOT a LIKE ALL (',
          'both',
          '😀',
          'é',
        ],
      ),
      fc.string({ unit: 'grapheme', maxLength: 5 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(' ').replaceAll('\0', ''));

const quoteText = (text: string, quote: string) =>
  `${quote}${text.replaceAll('\\', '\\\\').replaceAll(quote, `\\${quote}`)}${quote}`;
const quoteName = (text: string) => `\`${text.replaceAll('`', '``')}\``;
/** A comment that Databricks ends at its own end. */
const toComment = (text: string) => {
  const inner = text
    .replaceAll('/*', '/ *')
    .replaceAll('*/', '* /')
    .replace(/[/*]+$/, '');
  return `/*-${inner} /*-${inner} */ */`;
};
const toLine = (text: string) => `--${text.replaceAll(/[\r\n\\]/g, ' ')}\n`;

/** Each takes a text, a name and comments at places where they mean nothing but themselves. */
const FRAMES: readonly ((text: string, name: string, comment: string) => string)[] = [
  (text, name, comment) => `SELECT ${text} AS ${name} ${comment} FROM a.b.c`,
  (text, name, comment) =>
    `${comment}SELECT ${name} ${comment} FROM a.b.c AS ${name} WHERE x = ${text} ${comment}`,
  (text, name, comment) => `SELECT * FROM VALUES ${text}, ${comment} ${text} AS t(a) WHERE ${name} = 1`,
  (text, name, comment) => `WITH ${name} AS (VALUES (${text})) ${comment} SELECT * FROM ${name} LIMIT ALL`,
  (text, name, comment) => `SELECT NOT ${name} LIKE ALL (${text}, ${comment} ${text}) FROM a.b.c`,
  (text, name, comment) => `SELECT !(x ${comment} >>> 1 = ${text}) AS ${name} FROM a.b.c`,
  (text, name, comment) => `DROP TABLE ${name} ${comment} ${text}`,
  (text, name, comment) => `SELECT ${text} ${comment} AS ${name}; DELETE FROM a.b.c`,
  (text, name, comment) => `WITH w AS (SELECT ${text}) ${comment} INSERT INTO a.b.c SELECT ${name}`,
  (text, name, comment) => `SELECT read_csv(${text}) AS ${name} ${comment}`,
  (text, name, comment) => `SELECT ${name} ${comment} FROM a.b.c |> WHERE x = ${text}`,
  (text, name, comment) => `SELECT ${text} ${comment} AS ${name} FROM a.b.c WHERE x = ?`,
];

test('what stands in texts, names and comments never changes the verdict', () => {
  fc.assert(
    fc.property(
      hostile,
      fc.constantFrom(...FRAMES),
      fc.constantFrom("'", '"'),
      fc.boolean(),
      (text, frame, quote, isLine) => {
        const plain = frame("'x'", '`n`', '/* c */');
        const comment = isLine ? toLine(text) : toComment(text);
        const sql = frame(quoteText(text, quote), quoteName(`n${text}`), comment);
        expect(checkQuery(sql).ok, sql).toBe(checkQuery(plain).ok);
      },
    ),
    { numRuns: 1_000 },
  );
});
