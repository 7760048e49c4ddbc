import { z } from 'zod';
import { decodeUrlText, findUrlSecrets } from '../shared/secrets.ts';
import { defineSettings, flag, secret, wholeNumber } from '../shared/settings.ts';

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

export const logSettings = defineSettings({
  variables: {
    LOG_LEVEL: z
      .enum(LOG_LEVELS, { error: `must be one of ${LOG_LEVELS.join(', ')}` })
      .default('info')
      .describe('Lowest level of log lines that are written.'),
  },
  toSettings: ({ LOG_LEVEL: level }) => ({ level }),
});

export const metricsSettings = defineSettings({
  variables: {
    BLADE_METRICS: flag().default(true).describe('Serve metrics for Prometheus at `/metrics`.'),
    BLADE_METRICS_PORT: wholeNumber(0, 65_535)
      .optional()
      .describe('Separate port for `/metrics`, which needs no credential there; on PORT if this is not set.'),
  },
  toSettings: (values) => ({
    enabled: values.BLADE_METRICS,
    /** A separate port; null to serve metrics on the main port. */
    port: values.BLADE_METRICS_PORT ?? null,
  }),
});

/** The values of `OTEL_TRACES_SAMPLER`. */
const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

export type SamplerName = (typeof SAMPLERS)[number];

/** Where traces are sent, and which are sampled. */
export interface TracingSettings {
  /** The full URL, such as `http://127.0.0.1:4318/v1/traces`. */
  readonly url: string;
  /** Sent with every export; may hold a credential. */
  readonly headers: Readonly<Record<string, string>>;
  readonly sampler: SamplerName;
  /** The share of traces that a ratio sampler keeps. */
  readonly ratio: number;
}

export const tracingSettings = defineSettings({
  variables: {
    OTEL_EXPORTER_OTLP_ENDPOINT: z
      .url({ protocol: /^https?$/, error: 'must be a URL such as http://127.0.0.1:4318' })
      .optional()
      .describe(
        'Collector of traces (OTLP over HTTP), at `/v1/traces` below this URL; none if this is not set.',
      ),
    OTEL_EXPORTER_OTLP_HEADERS: secret(
      z
        .string()
        .regex(/^[^=,]+=[^,]*(,[^=,]+=[^,]*)*$/, { error: 'must be a list such as api-key=abc,tenant=ops' })
        .optional()
        .describe('Headers to send to the collector, as in `name=value,name=value`.'),
      (text) => [text, ...Object.values(parseHeaders(text))],
    ),
    OTEL_TRACES_SAMPLER: z
      .enum(SAMPLERS, { error: `must be one of ${SAMPLERS.join(', ')}` })
      .default('parentbased_always_on')
      .describe('Which traces are sampled.'),
    OTEL_TRACES_SAMPLER_ARG: z.coerce
      .number({ error: 'must be a number from 0 to 1' })
      .refine((share) => share >= 0 && share <= 1, { error: 'must be a number from 0 to 1' })
      .default(1)
      .describe('Share of traces that a sampler with `traceidratio` in its name keeps, from 0 to 1.'),
  },
  findSecrets: ({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }) => findUrlSecrets(endpoint ?? ''),
  toSettings(values): TracingSettings | null {
    const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_HEADERS: headers } = values;
    if (endpoint === undefined) return null;
    return {
      url: `${endpoint.replace(/\/$/, '')}/v1/traces`,
      headers: parseHeaders(headers ?? ''),
      sampler: values.OTEL_TRACES_SAMPLER,
      ratio: values.OTEL_TRACES_SAMPLER_ARG,
    };
  },
});

/** Parses headers. Values may be percent-encoded, as in W3C Baggage. */
function parseHeaders(text: string): Record<string, string> {
  return Object.fromEntries(
    text
      .split(',')
      .filter((pair) => pair !== '')
      .map((pair) => {
        const at = pair.indexOf('=');
        return [pair.slice(0, at).trim(), decodeUrlText(pair.slice(at + 1).trim())];
      }),
  );
}
