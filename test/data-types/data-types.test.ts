import { expect, test } from 'vitest';
import { defineDataType } from '../../src/data-types/data-type.ts';
import { createRegistry } from '../../src/plugins/registry.ts';

const { dataTypes } = createRegistry([]);

test('each data type is found by its name', () => {
  expect(dataTypes.names.map((name) => dataTypes.find(name)?.name)).toEqual(dataTypes.names);
});

test.each(['', 'Sortie', ' sortie', '__proto__', 'toString'])('there is no data type %j', (name) => {
  expect(dataTypes.find(name)).toBeUndefined();
});

test.each([
  ['maintenance', 'UNCLASSIFIED', ['item_id', 'work_order'], 13],
  ['sortie', 'CONFIDENTIAL', ['item_id', 'mission_id'], 14],
  ['deployment', 'SECRET', ['item_id', 'deployment_id'], 12],
  ['logistics', 'UNCLASSIFIED', ['item_id', 'shipment_id'], 12],
])('%s data is %s unless it says otherwise, and is identified by %j', (name, marking, identifying, count) => {
  const found = dataTypes.find(name);
  expect(found).toMatchObject({ defaultMarking: marking, identifyingColumns: identifying });
  expect(found?.columns).toHaveLength(count);
});

test('the marking of a data type that a program no longer has is the highest', () => {
  expect(dataTypes.getDefaultMarking('fuel')).toBe('TOP SECRET');
});

test('the columns of a data type are listed in their order with their kinds', () => {
  const columns = dataTypes.find('deployment')?.columns ?? [];
  expect(columns.map(({ name, kind, identifying }) => `${name} ${kind}${identifying ? ' id' : ''}`)).toEqual([
    'item_id text id',
    'deployment_id text id',
    'unit_designation text',
    'unit_type text',
    'personnel_count integer',
    'commanding_officer text',
    'deployment_location text',
    'origin_base text',
    'deployment_start_date date',
    'deployment_end_date date',
    'mission_objective text',
    'operational_status text',
  ]);
});

test.each([
  ['a marking that is none', { defaultMarking: 'HUSH' }, 'its defaultMarking must be one of U, UNCLASSIFIED'],
  ['no identifying column', { identifyingColumns: [] }, 'at least one of its columns must identify an item'],
  [
    'an unknown identifying column',
    { identifyingColumns: ['id'] },
    'its identifying column id is none of its',
  ],
  ['a kind that is none', { columns: { item_id: 'uuid' } }, 'its column item_id must be of text, integer'],
  [
    'a column in capitals',
    { columns: { item_id: 'text', Gallons: 'number' } },
    'its column Gallons must have',
  ],
])('a data type with %s is refused with what would work', (_name, wrong, message) => {
  const facts = {
    name: 'fuel',
    description: 'Fuel issued.',
    defaultMarking: 'CUI',
    identifyingColumns: ['item_id'],
    columns: { item_id: 'text' },
    ...wrong,
  };
  // As a plug-in in JavaScript can pass them.
  const define = () => defineDataType(facts as Parameters<typeof defineDataType>[0]);
  expect(define).toThrow(`The data type fuel cannot be used: ${message}`);
});
