/** A format of the digits of a number, such as `99G999D9S`. */
export interface DigitFormat {
  readonly sign: string;
  readonly hasDollar: boolean;
  /** The digits before the point, with commas between their groups. */
  readonly whole: string;
  readonly fraction: string;
  readonly isSignFirst: boolean;
}

/** Parses a format in upper case; null where it is none. */
export function parseDigitFormat(format: string): DigitFormat | null {
  const match = /^(S|MI)?(\$)?([09,G]*[09])(?:[.D]([09]+))?(\$)?(S|MI|PR)?$/.exec(format);
  if (match === null) return null;
  const [, first = '', dollar = '', whole = '', fraction = '', last = '', end = ''] = match;
  return {
    sign: first || end,
    hasDollar: dollar + last !== '',
    whole: whole.replaceAll('G', ','),
    fraction,
    isSignFirst: first !== '',
  };
}
