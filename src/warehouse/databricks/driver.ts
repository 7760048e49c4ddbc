import { createRequire } from 'node:module';

/**
 * Internal parts of the driver for reading results. They are CommonJS without named exports, which tools import in different
 * ways; `require` works the same everywhere, and returns the copy that the driver itself uses.
 */
const require = createRequire(import.meta.url);

export const ArrowResultHandler = (
  require('@databricks/sql/dist/result/ArrowResultHandler.js') as typeof import('@databricks/sql/dist/result/ArrowResultHandler.js')
).default;

export const CloudFetchResultHandler = (
  require('@databricks/sql/dist/result/CloudFetchResultHandler.js') as typeof import('@databricks/sql/dist/result/CloudFetchResultHandler.js')
).default;

export const ThriftOperationBackend = (
  require('@databricks/sql/dist/thrift-backend/ThriftOperationBackend.js') as typeof import('@databricks/sql/dist/thrift-backend/ThriftOperationBackend.js')
).default;
