import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import type { List } from '../api/use-list.ts';
import { type Noun, pluralize } from '../format/format.ts';
import { type FilterField, type FilterState, Filters } from './filters.tsx';
import { ListView } from './list-view.tsx';
import { EmptyNotice } from './notice.tsx';
import { Page } from './page.tsx';
import { type Column, DataTable } from './table.tsx';

interface ListPageProps<Row, Name extends string> {
  readonly title: string;
  /** What a row is. */
  readonly noun: Noun;
  readonly actions?: ReactNode;
  /** About the list as it is now. */
  readonly note?: ReactNode;
  readonly list: List<Row>;
  readonly columns: readonly Column<Row>[];
  readonly filters?: FilterState<Name>;
  readonly fields?: readonly FilterField<Name>[];
  /** Filters beside those of the fields. */
  readonly extraFilters?: ReactNode;
  /** Says how the first rows get here. */
  readonly empty: ReactNode;
}

/** A page with one list: its filters, its rows as a table, and what it shows without rows. */
export function ListPage<Row extends { readonly id: string }, Name extends string>({
  title,
  noun,
  actions,
  note,
  list,
  columns,
  filters,
  fields = [],
  extraFilters,
  empty,
}: ListPageProps<Row, Name>) {
  const what = pluralize(noun);
  const noRows = filters?.isActive ? (
    <EmptyNotice title={`No ${what} match these filters`}>
      <Button variant="default" size="xs" onClick={filters.clear}>
        Clear filters
      </Button>
    </EmptyNotice>
  ) : (
    <EmptyNotice title={`No ${what} yet`}>{empty}</EmptyNotice>
  );
  return (
    <Page title={title} actions={actions}>
      {filters !== undefined && (
        <Filters label={`Filter ${what}`} filters={filters} fields={fields}>
          {extraFilters}
        </Filters>
      )}
      {note}
      <ListView list={list} noun={noun} empty={noRows}>
        {(rows) => <DataTable label={title} rows={rows} columns={columns} layout="sheet" />}
      </ListView>
    </Page>
  );
}
