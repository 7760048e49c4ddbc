import { Link, useParams } from 'react-router';
import { formatMarking } from '../../shared/format-marking.ts';
import { ItemDetails, ItemRow } from '../api/fragments/item.ts';
import { useDetail } from '../api/use-detail.ts';
import { DetailPage } from '../details/detail-page.tsx';
import { Fact, Facts } from '../details/facts.tsx';
import { Columns, Panel } from '../details/panel.tsx';
import { JsonView } from '../details/text-view.tsx';
import { formatMoment } from '../format/format.ts';
import { readKey, shortenId } from '../format/ids.ts';
import type { ItemDetailsFragment, ItemRowFragment } from '../generated/graphql.ts';
import { graphql, readFragment } from '../generated/index.ts';
import { Page } from '../parts/page.tsx';
import { Mono } from '../parts/text.tsx';
import { SourceLink } from '../sources/source-link.tsx';

const ItemByKey = graphql(`
  query ItemByKey($dataType: String!, $itemId: String!) {
    item(dataType: $dataType, itemId: $itemId) {
      id
      ...ItemDetails
    }
  }
`);

/** Shows one item with its whole row. */
export default function ItemPage() {
  const { dataType = '', itemId = '' } = useParams();
  const { data, ...request } = useDetail(ItemByKey, { dataType, itemId });
  const missing = (
    <>
      There is no {dataType} item {itemId}. Go to <Link to="/items">items</Link>.
    </>
  );
  return (
    <DetailPage title="Item" found={data?.item} {...request} missing={missing}>
      {(found) => {
        const item = readFragment(ItemDetails, found);
        return (
          <Page title={itemId}>
            <Columns>
              <Panel title="Data">
                <JsonView value={item.data} label="The whole row" />
                <h3>Metadata from the source</h3>
                <JsonView value={item.sourceMetadata} label="Metadata from the source" />
                {item.queryMetadata !== null && (
                  <>
                    <h3>Metadata from query jobs</h3>
                    <JsonView value={item.queryMetadata} label="Metadata from query jobs" />
                  </>
                )}
              </Panel>
              <Panel title="Facts">
                <ItemFacts item={item} />
              </Panel>
            </Columns>
          </Page>
        );
      }}
    </DetailPage>
  );
}

function ItemFacts({ item }: { item: ItemDetailsFragment }) {
  const { job, createdAt, catalogId, markingFloor, rowMarking } = item;
  const { dataType, classificationMarking, dataSource, updatedAt, uploadedAt, deletedAt } = readFragment(
    ItemRow,
    item,
  );
  return (
    <Facts>
      <Fact name="Data type">{dataType}</Fact>
      <Fact name="Marking">{formatMarking(classificationMarking)}</Fact>
      {markingFloor !== null && (
        <>
          <Fact name="Raised to">
            {formatMarking(markingFloor.marking)}
            {markingFloor.raisedBy !== null && ` by ${markingFloor.raisedBy.name}`},{' '}
            {formatMoment(markingFloor.raisedAt)}
          </Fact>
          <Fact name="Reason">{markingFloor.reason}</Fact>
          <Fact name="Source states">{formatMarking(rowMarking)}</Fact>
        </>
      )}
      <Fact name="Data source">
        {dataSource === null ? (
          'none: from a query job or a deleted source'
        ) : (
          <SourceLink source={dataSource} />
        )}
      </Fact>
      <Fact name="Last changed by">
        {job === null ? (
          'a job removed from history'
        ) : (
          <Link to={`/jobs/${readKey(job.id)}`}>
            job <Mono>{shortenId(job.id)}</Mono>
          </Link>
        )}
      </Fact>
      <Fact name="First saved">{formatMoment(createdAt)}</Fact>
      <Fact name="Last changed">{formatMoment(updatedAt)}</Fact>
      {deletedAt !== null && (
        <Fact name="Deleted">{formatMoment(deletedAt)}: its row is gone from the table</Fact>
      )}
      <Fact name="In the catalog">{describeUpload({ uploadedAt, deletedAt })}</Fact>
      <Fact name="Catalog ID">
        <Mono>{catalogId ?? 'none yet'}</Mono>
      </Fact>
    </Facts>
  );
}

function describeUpload({
  uploadedAt,
  deletedAt,
}: Pick<ItemRowFragment, 'uploadedAt' | 'deletedAt'>): string {
  if (deletedAt !== null) return 'as it was before it was deleted';
  return uploadedAt === null ? 'not yet' : `since ${formatMoment(uploadedAt)}`;
}
