import { memo, type ReactNode } from 'react';
import { Link } from 'react-router';
import styles from './table.module.css';

/** A column: its heading and what it shows of a row. */
export interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row) => ReactNode;
  /** Numbers are aligned at their end. */
  readonly align?: 'end';
  /** How the content fits: on one line, wrapped anywhere, or as a bar. */
  readonly fit?: 'line' | 'wrap' | 'bar';
  /** Where it goes on a card: the card's head, beside that, a whole line, or two columns of three. */
  readonly card?: 'head' | 'corner' | 'full' | 'double';
}

interface DataTableProps<Row> {
  readonly label: string;
  readonly rows: readonly Row[];
  /** Must be the same array each time: rows render again only when they change. */
  readonly columns: readonly Column<Row>[];
  /** On a narrow page the rows of a `sheet` become cards; a table `inside` a panel scrolls sideways. */
  readonly layout: 'sheet' | 'inside';
}

/** Shows rows as a table. */
export function DataTable<Row extends { readonly id: string }>(props: DataTableProps<Row>) {
  const { label, rows, columns, layout } = props;
  // Roles are explicit, because a table that is laid out as cards loses its own.
  const table = (
    <table role="table" aria-label={label} className={styles.table} data-layout={layout}>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map(({ head, align }) => (
            <th key={head} scope="col" data-align={align}>
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <DataRow key={row.id} row={row} columns={columns} />
        ))}
      </tbody>
    </table>
  );
  if (layout === 'sheet') return table;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard must reach a box that scrolls
    <section className={styles.scroll} tabIndex={0} aria-label={`${label}, scrolls sideways`}>
      {table}
    </section>
  );
}

const DataRow = memo(function DataRow<Row>({ row, columns }: { row: Row; columns: readonly Column<Row>[] }) {
  return (
    <tr role="row">
      {columns.map(({ head, cell, align, fit, card }) => (
        <td key={head} role="cell" data-label={head} data-align={align} data-fit={fit} data-card={card}>
          {cell(row)}
        </td>
      ))}
    </tr>
  );
}) as <Row>(props: { row: Row; columns: readonly Column<Row>[] }) => ReactNode;

/** The link of a row, in the cell that names it. */
export function RowLink({ to, children }: { to: string; children: ReactNode }) {
  return (
    <Link to={to} className={styles.link}>
      {children}
    </Link>
  );
}
