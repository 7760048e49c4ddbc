import { graphql } from '../../generated/index.ts';

/** An item as lists show it. */
export const ItemRow = graphql(`
  fragment ItemRow on BladeItem {
    id
    dataType
    itemId
    classificationMarking
    updatedAt
    uploadedAt
    deletedAt
    dataSource {
      ...SourceName
    }
  }
`);

/** What an item's page shows beside its row. */
export const ItemDetails = graphql(`
  fragment ItemDetails on BladeItem {
    ...ItemRow
    catalogId
    createdAt
    data
    rowMarking
    markingFloor {
      marking
      raisedBy {
        name
      }
      raisedAt
      reason
    }
    sourceMetadata
    queryMetadata
    job {
      id
    }
  }
`);
