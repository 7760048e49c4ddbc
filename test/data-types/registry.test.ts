import { expect, test } from 'vitest';
import { dataTypeNames, dataTypes, findDataType } from '../../src/data-types/registry.ts';

test('there are four data types, each found by its name', () => {
  expect(dataTypeNames).toEqual(['maintenance', 'sortie', 'deployment', 'logistics']);
  expect(dataTypeNames.map((name) => findDataType(name)?.name)).toEqual(dataTypeNames);
});

test.each(['', 'Sortie', ' sortie', '__proto__', 'toString'])('there is no data type %j', (name) => {
  expect(findDataType(name)).toBeUndefined();
});

test('a data type says which marking its items have and which columns identify them', () => {
  expect(
    dataTypes.map(({ name, defaultMarking, identifyingColumns }) => [
      name,
      defaultMarking,
      identifyingColumns,
    ]),
  ).toEqual([
    ['maintenance', 'UNCLASSIFIED', ['item_id', 'work_order']],
    ['sortie', 'CONFIDENTIAL', ['item_id', 'mission_id']],
    ['deployment', 'SECRET', ['item_id', 'deployment_id']],
    ['logistics', 'UNCLASSIFIED', ['item_id', 'shipment_id']],
  ]);
});

test('the columns of a data type are listed in their order with their kinds', () => {
  const columns = findDataType('deployment')?.columns ?? [];
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
  expect(dataTypes.map((dataType) => dataType.columns.length)).toEqual([13, 14, 12, 12]);
});
