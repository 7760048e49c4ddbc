import { refuse } from './refusal.ts';

/**
 * Spells a number as the parser reads it: one of exact digits (suffix BD) without the suffix, because the parser would round
 * it, and none that begins with a point.
 */
export function spellNumber(written: string): string {
  const [, whole = '', fraction = '', exponent = '0'] = EXACT_NUMBER.exec(written) ?? [];
  if (!EXACT_NUMBER.test(written)) return /^\./.test(written) ? `0${written}` : written;
  const shift = Number(exponent);
  if (Math.abs(shift) > MAX_EXPONENT)
    refuse(`${written} is not supported: it has more digits than a DECIMAL.`);
  const digits = `${whole}${fraction}`;
  const scale = fraction.length - shift;
  if (scale <= 0) return spellInteger(`${digits}${'0'.repeat(-scale)}`);
  const padded = digits.padStart(scale + 1, '0');
  return `${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
}

const EXACT_NUMBER = /^(\d*)\.?(\d*)(?:E([+-]?\d+))?BD$/i;

/** No DECIMAL has more digits. */
const MAX_EXPONENT = 38;

function spellInteger(digits: string): string {
  const significant = digits.replace(/^0+(?=\d)/, '');
  return `CAST(${significant} AS DECIMAL(${significant.length}, 0))`;
}
