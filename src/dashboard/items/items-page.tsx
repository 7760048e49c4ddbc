import { useQuery } from '@apollo/client/react';
import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useMemo } from 'react';
import { Link, useSearchParams } from 'react-router';
import { formatMoment, formatRelative } from '../format/format.ts';
import type { ItemFilter, ItemsQuery } from '../generated/graphql.ts';
import { graphql } from '../generated/index.ts';
import { shortId, uuidOf } from '../jobs/job-title.tsx';
import { Icon } from '../parts/icon.tsx';
import { LoadMore } from '../parts/load-more.tsx';
import { Loading } from '../parts/loading.tsx';
import { markingOptions } from '../parts/markings.ts';
import { EmptyNotice, RequestError } from '../parts/notice.tsx';
import { Page } from '../parts/page.tsx';

const Items = graphql(`
  query Items($filter: ItemFilter, $first: Int!, $after: String) {
    items(filter: $filter, first: $first, after: $after) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      edges {
        cursor
        node {
          id
          dataType
          itemId
          classificationMarking
          updatedAt
          uploadedAt
          dataSource {
            id
            name
          }
        }
      }
    }
  }
`);

const ItemChoices = graphql(`
  query ItemChoices {
    dataTypes {
      name
    }
    dataSources {
      id
      name
    }
  }
`);

const PAGE_SIZE = 50;

/** How long somebody may pause in typing before what was typed is looked for, in milliseconds. */
const TYPING_MS = 300;

const FILTERS = ['type', 'marking', 'prefix', 'uploaded', 'source', 'job'] as const;

type FilterName = (typeof FILTERS)[number];

/** The stored items. */
export default function ItemsPage() {
  const [params, setParams] = useSearchParams();
  const chosen = useMemo(
    () =>
      Object.fromEntries(FILTERS.map((name) => [name, params.get(name) ?? ''])) as Record<FilterName, string>,
    [params],
  );
  const filter = useMemo(() => filterOf(chosen), [chosen]);
  const isFiltered = Object.keys(filter).length > 0;
  const { data: choices } = useQuery(ItemChoices, { fetchPolicy: 'cache-and-network' });
  const { data, previousData, error, refetch, fetchMore } = useQuery(Items, {
    variables: { filter, first: PAGE_SIZE },
    fetchPolicy: 'cache-and-network',
    nextFetchPolicy: 'cache-first',
  });
  // What was there before stays until the answer to another filter is there.
  const items = (data ?? (error === undefined ? previousData : undefined))?.items;

  function choose(name: FilterName, value: string) {
    setParams(
      (before) => {
        if (value === '') before.delete(name);
        else before.set(name, value);
        return before;
      },
      { replace: true },
    );
  }
  const chooseSoon = useDebouncedCallback(choose, TYPING_MS);

  return (
    <Page title="Items">
      <search className="filters" aria-label="Filter items">
        <TextInput
          // Cleared from outside, it begins anew.
          key={isFiltered ? 'filtered' : 'all'}
          label="Id begins with"
          size="xs"
          defaultValue={chosen.prefix}
          onChange={({ currentTarget }) => chooseSoon('prefix', currentTarget.value.trim())}
          spellCheck={false}
          autoComplete="off"
        />
        <NativeSelect
          label="Data type"
          size="xs"
          value={chosen.type}
          onChange={({ currentTarget }) => choose('type', currentTarget.value)}
          data={[
            { value: '', label: 'Any data type' },
            ...(choices?.dataTypes ?? []).map(({ name }) => ({ value: name, label: name })),
          ]}
        />
        <NativeSelect
          label="Marking"
          size="xs"
          value={chosen.marking}
          onChange={({ currentTarget }) => choose('marking', currentTarget.value)}
          data={[{ value: '', label: 'Any marking' }, ...markingOptions]}
        />
        <NativeSelect
          label="In the catalog"
          size="xs"
          value={chosen.uploaded}
          onChange={({ currentTarget }) => choose('uploaded', currentTarget.value)}
          data={[
            { value: '', label: 'Yes or no' },
            { value: 'yes', label: 'Yes' },
            { value: 'no', label: 'Not yet' },
          ]}
        />
        <NativeSelect
          label="Data source"
          size="xs"
          value={chosen.source}
          onChange={({ currentTarget }) => choose('source', currentTarget.value)}
          data={[
            { value: '', label: 'Any data source' },
            ...(choices?.dataSources ?? []).map(({ id, name }) => ({ value: uuidOf(id), label: name })),
          ]}
        />
        {chosen.job !== '' && (
          <Button
            size="xs"
            variant="default"
            onClick={() => choose('job', '')}
            rightSection={<Icon name="cross" size={12} />}
          >
            Changed by job {shortId(chosen.job)}
          </Button>
        )}
        {isFiltered && (
          <Button size="xs" variant="subtle" onClick={() => setParams({}, { replace: true })}>
            Clear filters
          </Button>
        )}
      </search>
      {error !== undefined && items === undefined && (
        <RequestError error={error} onRetry={() => void refetch()} />
      )}
      {error === undefined && items === undefined && <Loading what="items" />}
      {items !== undefined && items.edges.length === 0 && (
        <EmptyNotice title={isFiltered ? 'No item fits these filters' : 'No items yet'}>
          {!isFiltered && (
            <p>
              Items come in by jobs. <Link to="/start/sync">Start a sync</Link> to bring in the first ones.
            </p>
          )}
        </EmptyNotice>
      )}
      {items !== undefined && items.edges.length > 0 && (
        <>
          <ItemsTable items={items} />
          <LoadMore
            what="items"
            shown={items.edges.length}
            total={items.totalCount}
            hasMore={items.pageInfo.hasNextPage}
            onLoad={() => fetchMore({ variables: { after: items.pageInfo.endCursor } })}
          />
        </>
      )}
    </Page>
  );
}

function ItemsTable({ items }: { items: ItemsQuery['items'] }) {
  return (
    <table role="table" className="table cards sheet" aria-label="Items">
      <thead role="rowgroup">
        <tr role="row">
          <th scope="col">Item</th>
          <th scope="col">Type</th>
          <th scope="col">Marking</th>
          <th scope="col">Data source</th>
          <th scope="col">Changed</th>
          <th scope="col">In the catalog</th>
        </tr>
      </thead>
      <tbody role="rowgroup">
        {items.edges.map(({ node: item }) => (
          <tr role="row" key={item.id}>
            <td role="cell" data-label="Item" className="card-title">
              <Link
                to={`/items/${encodeURIComponent(item.dataType)}/${encodeURIComponent(item.itemId)}`}
                className="row-link mono break"
              >
                {item.itemId}
              </Link>
            </td>
            <td role="cell" data-label="Type">
              {item.dataType}
            </td>
            <td role="cell" data-label="Marking">
              {item.classificationMarking}
            </td>
            <td role="cell" data-label="Data source" className="break">
              {item.dataSource?.name ?? <span className="faint">query job</span>}
            </td>
            <td role="cell" data-label="Changed">
              <time dateTime={item.updatedAt} title={formatMoment(item.updatedAt)}>
                {formatRelative(item.updatedAt)}
              </time>
            </td>
            <td role="cell" data-label="In the catalog">
              {item.uploadedAt === null ? (
                <span className="status" data-tone="waiting">
                  <Icon name="clock" size={14} /> Not yet
                </span>
              ) : (
                <span className="status" data-tone="good">
                  <Icon name="check" size={14} /> Yes
                </span>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function filterOf({ type, marking, prefix, uploaded, source, job }: Record<FilterName, string>): ItemFilter {
  return {
    ...(type === '' ? {} : { dataTypes: [type] }),
    ...(marking === '' ? {} : { classificationMarkings: [marking] }),
    ...(prefix === '' ? {} : { itemIdPrefix: prefix }),
    ...(uploaded === '' ? {} : { isUploaded: uploaded === 'yes' }),
    ...(source === '' ? {} : { dataSourceId: source }),
    ...(job === '' ? {} : { jobId: job }),
  };
}
