import { isIPv4 } from 'node:net';
import { z } from 'zod';
import { accessSettings, asksForCredential } from '../../access/settings.ts';
import { defineSettings, flag, type SettingsFrom, splitList, wholeNumber } from '../../shared/settings.ts';

/** Where a process is served, and to which pages. */
export const httpSettings = defineSettings({
  variables: {
    HOST: z.string().default('127.0.0.1').describe('Address the server listens on.'),
    PORT: wholeNumber(0, 65_535).default(4000).describe('Port the server listens on; `0` for any free one.'),
    BLADE_ALLOWED_ORIGINS: z
      .string()
      .default('')
      .transform(splitList)
      .refine((origins) => origins.every((origin) => URL.parse(origin)?.origin === origin), {
        error: 'must be a list of addresses without a path, such as https://blade.example.com',
      })
      .describe(
        'Other sites whose pages may use the API, and names under which a proxy serves it, as in `https://blade.example.com`.',
      ),
    BLADE_INTROSPECTION: flag()
      .optional()
      .describe('Let clients read the schema; `true` unless a credential is needed.'),
    BLADE_GRAPHIQL: flag()
      .optional()
      .describe('Serve GraphiQL, which needs introspection; `true` unless a credential is needed.'),
    BLADE_PERSISTED_OPERATIONS: z
      .string()
      .optional()
      .describe('File that lists the only operations which clients may send; see [access.md](access.md).'),
  },
  needs: { access: accessSettings },
  toSettings(values, { access }) {
    const isOpen = !asksForCredential(access);
    return {
      host: values.HOST,
      /** 0 for any free port. */
      port: values.PORT,
      origins: {
        /** Other sites whose pages may use the API, such as `https://blade.example.com`. */
        allowedOrigins: values.BLADE_ALLOWED_ORIGINS,
        /** Whether the server listens on a loopback address alone. */
        isLoopback: isLoopback(values.HOST),
        /** Whether each request needs a credential, which a browser adds to nothing by itself. */
        asksForCredential: !isOpen,
      },
      /** Whether clients may read the schema. */
      introspection: values.BLADE_INTROSPECTION ?? isOpen,
      graphiql: values.BLADE_GRAPHIQL ?? isOpen,
      /** The list of all operations that clients may send; undefined if they may send any. */
      persistedOperationsFile: values.BLADE_PERSISTED_OPERATIONS,
    };
  },
});

export type HttpSettings = SettingsFrom<typeof httpSettings>;
export type OriginSettings = HttpSettings['origins'];

/** Whether only this machine can reach the address. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}
