import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { isReadableFile } from '../../shared/readable-file.ts';
import { checkTogether, defineSettings, flag, secret, wholeNumber } from '../../shared/settings.ts';
import type { DatabricksOptions } from './session.ts';

/** A SQL warehouse of Databricks; null if none is set. */
export const databricksSettings = defineSettings({
  variables: {
    DATABRICKS_HOST: z
      .string()
      .regex(/^[A-Za-z0-9.-]+$/, {
        error: 'must be a host name such as dbc-a1b2c3d4-e5f6.cloud.databricks.com',
      })
      .optional()
      .describe(
        'Workspace of the SQL warehouse, without a scheme. The folder warehouse is used if this is not set.',
      ),
    DATABRICKS_HTTP_PATH: z
      .string()
      .startsWith('/', { error: 'must be a path such as /sql/1.0/warehouses/a1b2c3d4e5f6' })
      .optional()
      .describe('HTTP path of the SQL warehouse.'),
    DATABRICKS_TOKEN: secret(z.string().optional().describe('Access token of the Databricks principal.')),
    DATABRICKS_CLIENT_ID: z
      .string()
      .optional()
      .describe('OAuth client id of a service principal, instead of a token.'),
    DATABRICKS_CLIENT_SECRET: secret(
      z.string().optional().describe('OAuth secret of that service principal.'),
    ),
    DATABRICKS_PORT: wholeNumber(1, 65_535).default(443).describe('Port of the workspace.'),
    DATABRICKS_CA_FILE: z
      .string()
      .refine(isReadableFile, { error: 'names no file that can be read' })
      .optional()
      .describe(
        'PEM file of a certificate authority to trust beside the well-known ones, for private endpoints.',
      ),
    DATABRICKS_CLOUD_FETCH: flag()
      .default(true)
      .describe("Read large results from the cloud's storage; `false` if that cannot be reached."),
  },
  check(values, _needed, refuse) {
    checkTogether(values, refuse, 'DATABRICKS_HOST', ['DATABRICKS_HTTP_PATH']);
    checkTogether(values, refuse, 'DATABRICKS_HTTP_PATH', ['DATABRICKS_HOST']);
    checkTogether(values, refuse, 'DATABRICKS_CLIENT_ID', ['DATABRICKS_CLIENT_SECRET']);
    checkTogether(values, refuse, 'DATABRICKS_CLIENT_SECRET', ['DATABRICKS_CLIENT_ID']);
    const { DATABRICKS_HOST: host, DATABRICKS_TOKEN: token, DATABRICKS_CLIENT_ID: clientId } = values;
    if (host !== undefined && token === undefined && clientId === undefined) {
      refuse('DATABRICKS_TOKEN', 'set it, or DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET');
    }
  },
  findSecrets({ DATABRICKS_CLIENT_ID: clientId, DATABRICKS_CLIENT_SECRET: clientSecret }) {
    // As it is sent.
    return clientSecret === undefined ? [] : [`${clientId}:${clientSecret}`];
  },
  toSettings(values): DatabricksOptions | null {
    const { DATABRICKS_HOST: host, DATABRICKS_HTTP_PATH: httpPath, DATABRICKS_TOKEN: token } = values;
    if (host === undefined || httpPath === undefined) return null;
    const authorityFile = values.DATABRICKS_CA_FILE;
    return {
      host,
      httpPath,
      port: values.DATABRICKS_PORT,
      credentials:
        token === undefined
          ? {
              kind: 'oauth',
              clientId: values.DATABRICKS_CLIENT_ID ?? '',
              clientSecret: values.DATABRICKS_CLIENT_SECRET ?? '',
            }
          : { kind: 'token', token },
      certificateAuthority: authorityFile === undefined ? undefined : readFileSync(authorityFile, 'utf8'),
      useCloudFetch: values.DATABRICKS_CLOUD_FETCH,
    };
  },
});
