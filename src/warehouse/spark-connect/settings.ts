import { z } from 'zod';
import { defineSettings, secret } from '../../shared/settings.ts';
import { findRemoteSecrets, parseRemote, type SparkRemote } from './connection-string.ts';

/** A Spark Connect server; null if none is set. */
export const sparkConnectSettings = defineSettings({
  variables: {
    SPARK_REMOTE: secret(
      z
        .string()
        .optional()
        .describe(
          'URL of a Spark Connect server (Spark 4), as in `sc://spark.example.com:15002/;token=…`; see [spark.md](spark.md).',
        ),
      findRemoteSecrets,
    ),
  },
  check({ SPARK_REMOTE: url }, _needed, refuse) {
    const parsed = url === undefined ? null : parseRemote(url);
    if (parsed?.ok === false) refuse('SPARK_REMOTE', parsed.problem);
  },
  toSettings({ SPARK_REMOTE: url }): SparkRemote | null {
    const parsed = url === undefined ? null : parseRemote(url);
    return parsed?.ok ? parsed.remote : null;
  },
});
