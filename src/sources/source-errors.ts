import { ExpectedError } from '../shared/expected-error.ts';

/** No data source has the id. */
export class DataSourceNotFoundError extends ExpectedError {
  override readonly name = 'DataSourceNotFoundError';
  readonly dataSourceId: string;

  constructor(dataSourceId: string) {
    super(`there is no data source ${dataSourceId}`);
    this.dataSourceId = dataSourceId;
  }
}

/** The source is read by an active job. */
export class DataSourceInUseError extends ExpectedError {
  override readonly name = 'DataSourceInUseError';
  readonly dataSourceId: string;

  constructor(dataSourceId: string) {
    super(`data source ${dataSourceId} is being read by an active job: wait for its end or cancel it first`);
    this.dataSourceId = dataSourceId;
  }
}
