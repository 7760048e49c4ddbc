import { expect, test } from 'vitest';
import { fuel } from '../../docs/examples/fuel.ts';
import { createTransform } from '../../src/ingestion/transform.ts';

test('the data type that docs/extending.md shows makes items of its rows', () => {
  const transform = createTransform({ dataType: fuel, sourceMetadata: {} });
  expect(transform({ ticket_number: 'F-17', gallons: 820.5, pump: 4 })).toMatchObject({
    ok: true,
    item: { classificationMarking: 'CUI', data: expect.stringContaining('"pump":4') },
  });
  expect(transform({ ticket_number: 'F-18', gallons: 'plenty' })).toMatchObject({
    ok: false,
    message: expect.stringContaining('gallons'),
  });
});
