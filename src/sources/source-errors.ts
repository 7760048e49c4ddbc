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

/** The watermark of a source is not the expected one. */
export class WatermarkChangedError extends ExpectedError {
  override readonly name = 'WatermarkChangedError';
  readonly dataSourceId: string;

  constructor(dataSourceId: string) {
    super(
      `the watermark of data source ${dataSourceId} is not the expected one, or you are not cleared to see it: look it up again`,
    );
    this.dataSourceId = dataSourceId;
  }
}

/** The source was changed since the caller read it. */
export class DataSourceChangedError extends ExpectedError {
  override readonly name = 'DataSourceChangedError';
  readonly dataSourceId: string;
  readonly currentRevision: number;

  constructor(dataSourceId: string, currentRevision: number) {
    super(
      `data source ${dataSourceId} was changed in the meantime: look at its revision ${currentRevision} and try again`,
    );
    this.dataSourceId = dataSourceId;
    this.currentRevision = currentRevision;
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
