import { useQuery } from '@apollo/client/react';
import { Link, useParams } from 'react-router';
import { formatMoment } from '../format/format.ts';
import { graphql } from '../generated/index.ts';
import { shortId, uuidOf } from '../jobs/job-title.tsx';
import { JsonView } from '../parts/json-view.tsx';
import { Loading } from '../parts/loading.tsx';
import { RequestError } from '../parts/notice.tsx';
import { Page } from '../parts/page.tsx';

const ItemByKey = graphql(`
  query ItemByKey($dataType: String!, $itemId: String!) {
    item(dataType: $dataType, itemId: $itemId) {
      id
      dataType
      itemId
      classificationMarking
      catalogId
      uploadedAt
      createdAt
      updatedAt
      data
      metadata
      dataSource {
        id
        name
      }
      job {
        id
      }
    }
  }
`);

/** One item, with its whole row. */
export default function ItemPage() {
  const { dataType = '', itemId = '' } = useParams();
  const { data, error, refetch } = useQuery(ItemByKey, {
    variables: { dataType, itemId },
    fetchPolicy: 'cache-and-network',
  });
  const item = data?.item;
  if (item === null) {
    return (
      <Page title="Item not found">
        <p>
          There is no item {itemId} of {dataType}. Look through the <Link to="/items">items</Link> that there
          are.
        </p>
      </Page>
    );
  }
  return (
    <Page title={itemId} heading={<span className="item-id">{itemId}</span>}>
      {error !== undefined && item === undefined && (
        <RequestError error={error} onRetry={() => void refetch()} />
      )}
      {error === undefined && item === undefined && <Loading what="the item" />}
      {item !== undefined && (
        <div className="columns">
          <section className="panel" aria-labelledby="data">
            <h2 id="data">Data</h2>
            <JsonView value={item.data} label="The whole row" />
            <h3>Metadata</h3>
            <JsonView value={item.metadata} label="Metadata" />
          </section>
          <section className="panel" aria-labelledby="facts">
            <h2 id="facts">Facts</h2>
            <dl className="list">
              <dt>Data type</dt>
              <dd>{item.dataType}</dd>
              <dt>Marking</dt>
              <dd>{item.classificationMarking}</dd>
              <dt>Data source</dt>
              <dd>
                {item.dataSource === null ? (
                  'none: a query job, or a source that was deleted'
                ) : (
                  <Link to={`/sources/${uuidOf(item.dataSource.id)}`}>{item.dataSource.name}</Link>
                )}
              </dd>
              <dt>Changed by job</dt>
              <dd>
                {item.job === null ? (
                  'pruned from history'
                ) : (
                  <Link to={`/jobs/${uuidOf(item.job.id)}`} className="mono">
                    {shortId(item.job.id)}
                  </Link>
                )}
              </dd>
              <dt>Stored</dt>
              <dd>{formatMoment(item.createdAt)}</dd>
              <dt>Changed</dt>
              <dd>{formatMoment(item.updatedAt)}</dd>
              <dt>In the catalog</dt>
              <dd>{item.uploadedAt === null ? 'not yet' : `since ${formatMoment(item.uploadedAt)}`}</dd>
              <dt>Name there</dt>
              <dd className="mono">{item.catalogId ?? 'none yet'}</dd>
            </dl>
          </section>
        </div>
      )}
    </Page>
  );
}
