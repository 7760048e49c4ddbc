import { Button } from '@mantine/core';
import { useMemo } from 'react';
import { Link } from 'react-router';
import { formatMarking } from '../../shared/format-marking.ts';
import { SourceName } from '../api/fragments/data-source.ts';
import { ItemRow } from '../api/fragments/item.ts';
import { useDataTypes } from '../api/use-data-types.ts';
import { readConnection, useList } from '../api/use-list.ts';
import { readKey, shortenId } from '../format/ids.ts';
import type { ItemFilter, ItemRowFragment, ItemsQuery } from '../generated/graphql.ts';
import { graphql, readFragment } from '../generated/index.ts';
import { useFilters } from '../parts/filters.tsx';
import { Icon } from '../parts/icon.tsx';
import { ListPage } from '../parts/list-page.tsx';
import { listMarking, MARKING_OPTIONS } from '../parts/markings.ts';
import { Mark } from '../parts/status.tsx';
import { type Column, RowLink } from '../parts/table.tsx';
import { Faint, Mono } from '../parts/text.tsx';
import { RelativeMoment } from '../parts/time.tsx';
import { useSourceNames } from '../sources/use-source-names.ts';

const Items = graphql(`
  query Items($filter: ItemFilter, $first: Int!, $after: String) {
    items(filter: $filter, first: $first, after: $after) {
      totalCount
      isTotalCountExact
      pageInfo {
        ...PageEnd
      }
      edges {
        cursor
        node {
          id
          ...ItemRow
        }
      }
    }
  }
`);

const PAGE_SIZE = 50;

const FILTERS = ['prefix', 'type', 'marking', 'uploaded', 'deleted', 'source', 'job'] as const;

const MARKINGS = [{ value: '', label: 'Any marking' }, ...MARKING_OPTIONS];

const UPLOADED = [
  { value: '', label: 'Yes or no' },
  { value: 'yes', label: 'Yes' },
  { value: 'no', label: 'Not yet' },
];

const DELETED = [
  { value: '', label: 'Hidden' },
  { value: 'shown', label: 'Shown' },
];

const COLUMNS: readonly Column<ItemRowFragment>[] = [
  {
    head: 'Item',
    card: 'head',
    fit: 'wrap',
    cell: ({ dataType, itemId }) => (
      <RowLink to={`/items/${encodeURIComponent(dataType)}/${encodeURIComponent(itemId)}`}>
        <Mono>{itemId}</Mono>
      </RowLink>
    ),
  },
  { head: 'Type', cell: ({ dataType }) => dataType },
  { head: 'Marking', cell: ({ classificationMarking }) => formatMarking(classificationMarking) },
  {
    head: 'Data source',
    cell: ({ dataSource }) => readFragment(SourceName, dataSource)?.name ?? <Faint>query job</Faint>,
  },
  { head: 'Changed', cell: ({ updatedAt }) => <RelativeMoment at={updatedAt} /> },
  {
    head: 'In the catalog',
    cell: ({ uploadedAt, deletedAt }) =>
      deletedAt !== null ? (
        <Faint>deleted</Faint>
      ) : uploadedAt === null ? (
        <Mark icon="clock" color="orange">
          Not yet
        </Mark>
      ) : (
        <Mark icon="check" color="green">
          Yes
        </Mark>
      ),
  },
];

function readItems({ items }: ItemsQuery) {
  return items && readConnection(items, (node) => readFragment(ItemRow, node));
}

/** Lists the saved items. */
export default function ItemsPage() {
  const filters = useFilters(FILTERS);
  const { job } = filters.values;
  const filter = useMemo(() => buildFilter(filters.values), [filters.values]);
  const list = useList(Items, { filter }, readItems, PAGE_SIZE);
  const dataTypes = useDataTypes();
  const sources = (useSourceNames({ onlyEnabled: false }) ?? []).map(({ id, name }) => ({
    value: readKey(id),
    label: name,
  }));
  return (
    <ListPage
      title="Items"
      noun="item"
      list={list}
      columns={COLUMNS}
      filters={filters}
      fields={[
        { name: 'prefix', label: 'ID starts with' },
        { name: 'type', label: 'Data type', options: [{ value: '', label: 'Any data type' }, ...dataTypes] },
        { name: 'marking', label: 'Marking', options: MARKINGS },
        { name: 'uploaded', label: 'In the catalog', options: UPLOADED },
        { name: 'deleted', label: 'Deleted items', options: DELETED },
        {
          name: 'source',
          label: 'Data source',
          options: [{ value: '', label: 'Any data source' }, ...sources],
        },
      ]}
      extraFilters={
        job !== '' && (
          <Button
            size="xs"
            variant="default"
            onClick={() => filters.choose('job', '')}
            rightSection={<Icon name="cross" size={12} />}
          >
            Last changed by job {shortenId(job)}
          </Button>
        )
      }
      empty={
        <p>
          Jobs save items. <Link to="/start/sync">Start a sync</Link> to save the first ones.
        </p>
      }
    />
  );
}

function buildFilter(values: Record<(typeof FILTERS)[number], string>): ItemFilter {
  const { prefix, type, marking, uploaded, deleted, source, job } = values;
  return {
    ...(prefix === '' ? {} : { itemIdPrefix: prefix }),
    ...(type === '' ? {} : { dataTypes: [type] }),
    ...(marking === '' ? {} : { classificationMarkings: listMarking(marking) }),
    ...(uploaded === '' ? {} : { isUploaded: uploaded === 'yes' }),
    ...(deleted === '' ? {} : { includeDeleted: true }),
    ...(source === '' ? {} : { dataSourceId: source }),
    ...(job === '' ? {} : { jobId: job }),
  };
}
