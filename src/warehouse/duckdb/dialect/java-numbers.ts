/** Writes a number of 64 bits as Java does, and with it Databricks. */
export function formatDouble(value: number): string {
  return format(value, String(Math.abs(value)));
}

/** Writes a number of 32 bits as Java does. */
export function formatFloat(value: number): string {
  return format(value, findShortestDigits(Math.abs(value)));
}

/** Writes a decimal as Java does: with a power of ten once it has six zeros behind the point before its first digit. */
export function formatDecimal(text: string): string {
  const [, sign = '', digits = ''] = /^(-?)0\.(\d+)$/.exec(text) ?? [];
  const significant = digits.replace(/^0+/, '');
  const power = significant.length - digits.length - 1;
  if (significant === '' ? digits.length <= 6 : power >= -6) return text;
  const [first = '0', rest = ''] = [significant[0], significant.slice(1)];
  const exponent = significant === '' ? -digits.length : power;
  return `${sign}${first}${rest === '' ? '' : `.${rest}`}E${exponent}`;
}

/** @param digits the shortest that are this number, as JavaScript writes them. */
function format(value: number, digits: string): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const size = Math.abs(value);
  if (size === 0) return `${sign}0.0`;
  if (size >= 1e-3 && size < 1e7) return `${sign}${digits.includes('.') ? digits : `${digits}.0`}`;
  const exponential = digits.includes('e') ? digits : Number(digits).toExponential();
  const [mantissa = '', power = ''] = exponential.split('e');
  return `${sign}${mantissa.includes('.') ? mantissa : `${mantissa}.0`}E${Number(power)}`;
}

/** The fewest digits that are this number of 32 bits. */
function findShortestDigits(value: number): string {
  for (let digits = 1; digits <= 9; digits += 1) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return String(Number(text));
  }
  return String(value);
}
