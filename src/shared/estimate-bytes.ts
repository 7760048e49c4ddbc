/** Estimates the bytes that a value takes as text. */
export function estimateBytes(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (typeof value !== 'object' || value === null) return SCALAR_BYTES;
  let bytes = SCALAR_BYTES;
  for (const [name, field] of Object.entries(value)) bytes += name.length + estimateBytes(field);
  return bytes;
}

const SCALAR_BYTES = 8;
