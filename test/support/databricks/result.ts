import type { TColumn, TTypeId } from '@databricks/sql/thrift/TCLIService_types.js';

/** The columns of a result. */
export interface ResultSchema {
  readonly columns: readonly { readonly name: string; readonly typeId: TTypeId }[];
  /** The schema as a message of Arrow, without an end of the stream. */
  readonly arrowSchema: Buffer;
}

/** Some rows of a result, in each form in which Databricks sends them. */
export interface ResultPage {
  readonly rowCount: number;
  /** One message of Arrow, as it stands in a page of a result. */
  toBatch(): Buffer;
  /** A whole file of Arrow, as it lies in the cloud's storage. */
  toFile(): Buffer;
  toColumns(): TColumn[];
}
