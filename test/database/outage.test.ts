import { expect, test } from 'vitest';
import { isOutage } from '../../src/database/outage.ts';

const failure = (message: string, more: object = {}) => Object.assign(new Error(message), more);

test.for([
  failure('terminating connection due to administrator command', { code: '57P01' }),
  failure('the database system is starting up', { code: '57P03' }),
  failure('sorry, too many clients already', { code: '53300' }),
  failure('connection failure', { code: '08006' }),
  failure('connect ECONNREFUSED 127.0.0.1:5432', { code: 'ECONNREFUSED' }),
  failure('getaddrinfo ENOTFOUND db', { code: 'ENOTFOUND' }),
  failure('Connection terminated unexpectedly'),
  failure('Client has encountered a connection error and is not queryable'),
  failure("Can't reach database server", { code: 'P1001' }),
  failure('Raw query failed', {
    code: 'P2010',
    meta: { driverAdapterError: { name: 'DriverAdapterError', cause: { kind: 'DatabaseNotReachable' } } },
  }),
  failure('Raw query failed', {
    code: 'P2010',
    meta: { driverAdapterError: { cause: { kind: 'postgres', originalCode: '57P01' } } },
  }),
  new Error('the job could not be read', { cause: failure('gone', { code: 'ECONNRESET' }) }),
])('an outage of the database is known by $message', (error) => {
  expect(isOutage(error)).toBe(true);
});

test.for([
  failure('duplicate key', { code: '23505' }),
  failure('canceling statement due to user request', { code: '57014' }),
  failure('database dropped', { code: '57P04' }),
  failure('Record not found', { code: 'P2025', meta: { modelName: 'Job' } }),
  failure('x is not a function'),
])('$message is no outage', (error) => {
  expect(isOutage(error)).toBe(false);
});
