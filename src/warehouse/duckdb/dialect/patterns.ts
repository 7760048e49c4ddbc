import { refuseOnFolder } from './refused.ts';
import type { Written } from './written.ts';

/** Refuses a regular expression that Java, the engine of Databricks, and DuckDB read differently. */
export function checkPattern(pattern: Written): void {
  const text = pattern.literal;
  if (typeof text !== 'string') return;
  const isDifferent =
    /\(\?(?:[=!>]|<[=!])|\\[0-9GkZuxhHvVRXNQE]|[*+?}]\+|&&|\[[^\]]*\[(?!:)|\(\?[a-z]*[xudU]|\\p\{(?:Is|java|In)/.test(
      text,
    );
  if (isDifferent) refuseOnFolder(`The regular expression ${text}`);
}
