import type { Issue } from '../actions/use-action.ts';

/** The greatest value of GraphQL's Int. */
const MAX_INT = 2 ** 31 - 1;

/** The values of a form. One that cannot be sent becomes an issue, as the server's would be. */
export class FormValues {
  readonly issues: Issue[] = [];
  readonly #data: FormData;

  constructor(data: FormData) {
    this.#data = data;
  }

  /** Reads a text as it was written. */
  readText(name: string): string {
    const value = this.#data.get(name);
    return typeof value === 'string' ? value : '';
  }

  /** Reads a text without the blanks around it; null if nothing is left. */
  readOptional(name: string): string | null {
    const text = this.readText(name).trim();
    return text === '' ? null : text;
  }

  isChecked(name: string): boolean {
    return this.#data.get(name) !== null;
  }

  /** Reads a whole number; null if there is none. */
  readNumber(name: string): number | null {
    const text = this.readOptional(name);
    if (text === null) return null;
    // People write large numbers in groups.
    const value = Number(text.replaceAll(/[\s,_]/g, ''));
    if (Number.isInteger(value) && Math.abs(value) <= MAX_INT) return value;
    this.issues.push({ field: name, message: 'must be a whole number, such as 5000' });
    return null;
  }

  /** Reads a JSON object; null if there is none. */
  readJson(name: string): Record<string, unknown> | null {
    const text = this.readOptional(name);
    if (text === null) return null;
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
        return value as Record<string, unknown>;
      }
      this.issues.push({ field: name, message: 'must be a JSON object, such as {"base": "ATL"}' });
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      this.issues.push({ field: name, message: `must be valid JSON: ${detail}` });
    }
    return null;
  }
}
