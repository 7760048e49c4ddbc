import { context, DiagLogLevel, diag, propagation, trace } from '@opentelemetry/api';
import type { Sampler } from '@opentelemetry/sdk-trace';
import type { Logger } from 'pino';
import { version } from '../shared/version.ts';
import type { SamplerName, TracingSettings } from './settings.ts';

/** The name of the program, unless `OTEL_SERVICE_NAME` sets another. */
export const SERVICE = 'blade-ingestion';

/**
 * Starts sending traces. OpenTelemetry's SDK is loaded only here: without it, every span does nothing.
 * @returns a function that sends the remaining traces and stops.
 */
export async function startTracing(settings: TracingSettings, log: Logger): Promise<() => Promise<void>> {
  const [sdk, { OTLPTraceExporter }, resources, { AsyncLocalStorageContextManager }, core] =
    await Promise.all([
      import('@opentelemetry/sdk-trace'),
      import('@opentelemetry/exporter-trace-otlp-proto'),
      import('@opentelemetry/resources'),
      import('@opentelemetry/context-async-hooks'),
      import('@opentelemetry/core'),
    ]);
  const { resourceAttributesEnvDetector, serviceNameEnvDetector } = resources;
  const resource = resources
    .defaultResource()
    .merge(resources.resourceFromAttributes({ 'service.name': SERVICE, 'service.version': version }))
    .merge(resources.detectResources({ detectors: [resourceAttributesEnvDetector, serviceNameEnvDetector] }));
  const byRatio = new sdk.TraceIdRatioBasedSampler(settings.ratio);
  const samplers: Record<SamplerName, () => Sampler> = {
    always_on: () => new sdk.AlwaysOnSampler(),
    always_off: () => new sdk.AlwaysOffSampler(),
    traceidratio: () => byRatio,
    parentbased_always_on: () => new sdk.ParentBasedSampler({ root: new sdk.AlwaysOnSampler() }),
    parentbased_always_off: () => new sdk.ParentBasedSampler({ root: new sdk.AlwaysOffSampler() }),
    parentbased_traceidratio: () => new sdk.ParentBasedSampler({ root: byRatio }),
  };
  const provider = new sdk.TracerProvider({
    resource,
    sampler: samplers[settings.sampler](),
    spanProcessors: [
      new sdk.BatchSpanProcessor({
        exporter: new OTLPTraceExporter({ url: settings.url, headers: { ...settings.headers } }),
      }),
    ],
  });
  // OpenTelemetry reports failed exports only here.
  diag.setLogger(
    {
      error: (message) => log.warn({ reason: message }, 'OpenTelemetry reported an error'),
      warn: (message) => log.warn({ reason: message }, 'OpenTelemetry reported a warning'),
      info: () => {},
      debug: () => {},
      verbose: () => {},
    },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new core.W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
  return async () => {
    await provider
      .shutdown()
      .catch((error: unknown) => log.warn({ err: error }, 'the last traces could not be sent'));
    trace.disable();
    propagation.disable();
    context.disable();
    diag.disable();
  };
}
