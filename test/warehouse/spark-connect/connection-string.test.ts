import { expect, test } from 'vitest';
import { findRemoteSecrets, parseRemote } from '../../../src/warehouse/spark-connect/connection-string.ts';

/** What Spark's own clients take from each URL. */
const REMOTES: readonly (readonly [string, object])[] = [
  ['sc://myhost.com', { host: 'myhost.com', port: 15002, isSecure: false, token: null, headers: {} }],
  ['sc://myhost.com/', { host: 'myhost.com', port: 15002, isSecure: false }],
  ['sc://myhost.com:443/;use_ssl=true', { port: 443, isSecure: true, token: null }],
  ['sc://myhost.com:443/;use_ssl=true;token=ABCDEFG', { isSecure: true, token: 'ABCDEFG' }],
  ['sc://myhost.com/;token=a%3Bb%3D', { isSecure: true, token: 'a;b=' }],
  ['sc://localhost/;token=ABC', { isSecure: false, token: 'ABC' }],
  ['sc://localhost/;token=ABC;use_ssl=true', { isSecure: true }],
  ['sc://127.0.0.1:1/;use_ssl=False', { host: '127.0.0.1', port: 1, isSecure: false }],
  ['sc://[::1]:15003', { host: '::1', port: 15003 }],
  [
    'sc://h/;user_id=Martin;user_agent=my%20app;session_id=550e8400-e29b-41d4-a716-446655440000',
    { userId: 'Martin', userAgent: 'my app', sessionId: '550e8400-e29b-41d4-a716-446655440000' },
  ],
  ['sc://h/;grpc_max_message_size=1000000', { maxMessageBytes: 1_000_000, headers: {} }],
  ['sc://h/;x-databricks-cluster-id=0301-1', { headers: { 'x-databricks-cluster-id': '0301-1' } }],
];

test.each(REMOTES)('%s is understood as by the clients of Spark', (url, expected) => {
  expect(parseRemote(url)).toMatchObject({ ok: true, remote: expected });
});

const REFUSED: readonly (readonly [string, RegExp])[] = [
  ['http://myhost.com', /must be a URL such as sc:\/\//],
  ['sc://', /must have a host/],
  ['sc://my host', /must have a host/],
  ['sc://h:0', /port from 1 to 65535/],
  ['sc://h:70000', /port from 1 to 65535/],
  ['sc://h/path/;token=SECRET', /nothing between the port and the parameters/],
  ['sc://me:SECRET@h', /must not have a user before the host/],
  ['sc://h/;token=x;SECRET', /parameter 2 must be written name=value/],
  ['sc://h/;token=SECRET;token=SECRET', /the parameter token twice/],
  ['sc://h/;token=SECRET%', /parameter token has a "%"/],
  ['sc://h/;token=SECRET%0A', /parameter token has characters that a header cannot have/],
  ['sc://h/;use_ssl=SECRET', /use_ssl must be true or false/],
  ['sc://h/;session_id=SECRET', /session_id must be a UUID/],
  ['sc://h/;grpc_max_message_size=SECRET', /must be a number of bytes/],
  ['sc://h/;x-key-bin=SECRET', /cannot have the parameter x-key-bin/],
];

test.each(REFUSED)('%s is refused with what is wrong, and shows no value', (url, problem) => {
  const parsed = parseRemote(url);
  expect(parsed).toEqual({ ok: false, problem: expect.stringMatching(problem) });
  expect(JSON.stringify(parsed)).not.toContain('SECRET');
  expect(findRemoteSecrets(url)).toEqual([url]);
});

test('the token and the values of headers are not to be shown, decoded as they are sent', () => {
  expect(findRemoteSecrets('sc://h/;token=a%3Bb;user_id=me;x-key=c')).toEqual(['a;b', 'c']);
});
