import type { SchemaPattern } from './allowed-schemas.ts';

/** What a statement may read, and for how long it may run. */
export interface ReadingLimits {
  /** The schemas whose tables may be read. Default: all. */
  readonly allowedSchemas?: readonly SchemaPattern[] | undefined;
  /** The longest run time of a statement, in milliseconds. Default: no limit. */
  readonly statementTimeoutMs?: number | undefined;
}
