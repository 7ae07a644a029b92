import type { IncomingMessage, ServerResponse } from 'node:http';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { MachineWatch } from '../control/watch/machine-watch.js';
import type { Scheduler } from '../queue/scheduler.js';
import { createFailure } from '../protocols/create-failure.js';
import { chatCompletions } from '../protocols/openai/chat-completions.js';
import type { ServedRequest } from '../server/inference/served-request.js';
import { sendFailure } from '../server/responders.js';
import { createBoundedLabels } from './bounded-labels.js';
import { followMachine } from './follow-machine.js';
import { gaugesOf } from './gauges-of.js';
import { addProcessMetrics } from './process-metrics.js';

/** The metrics of one gateway, for Prometheus. */
export interface Metrics extends AsyncDisposable {
  /** Counts a request when its answer has ended. */
  served(request: ServedRequest): void;
  /** Answers `/metrics`. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** The names of all metrics. */
  names(): readonly string[];
}

/** The sources of the metrics. */
export interface MetricsParts {
  /** Null without control of the machine: then the metrics are about requests alone. */
  readonly watch: MachineWatch | null;
  readonly scheduler: Pick<Scheduler, 'state'>;
  readonly version: string;
}

const SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
/** Requests that are counted in a row: one by one, between answers, each takes several times as long. */
const COUNTED_TOGETHER = 16;
const LOAD_SECONDS = [0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600];

const WRONG_METHOD = createFailure('invalid_request', 405, '/metrics takes GET and HEAD.');

/** Creates the metrics in a registry of their own, so that several gateways in one process do not mix. */
export function createMetrics({ watch, scheduler, version }: MetricsParts): Metrics {
  const registry = new Registry();
  const registers = [registry];
  addProcessMetrics(registers);
  const models = createBoundedLabels();

  new Gauge({
    name: 'mai_build_info',
    help: 'Version of the gateway; always 1.',
    labelNames: ['version'],
    registers,
  }).set({ version }, 1);

  const requests = new Counter({
    name: 'mai_requests_total',
    help: 'Requests for inference, by protocol, HTTP status and model.',
    labelNames: ['protocol', 'status', 'model'],
    registers,
  });
  const errors = new Counter({
    name: 'mai_request_errors_total',
    help: 'Requests that failed, by protocol and code of the failure.',
    labelNames: ['protocol', 'code'],
    registers,
  });
  const gone = new Counter({
    name: 'mai_requests_cancelled_total',
    help: 'Requests whose client left before the end of the answer.',
    labelNames: ['protocol'],
    registers,
  });
  const fallbacks = new Counter({
    name: 'mai_fallbacks_total',
    help: 'Attempts on another resident after a failure before the first byte.',
    labelNames: ['protocol'],
    registers,
  });
  const tokens = new Counter({
    name: 'mai_tokens_total',
    help: 'Tokens that the runtime reported, by model and kind (prompt or output).',
    labelNames: ['model', 'kind'],
    registers,
  });
  const queueSeconds = new Histogram({
    name: 'mai_queue_wait_seconds',
    help: 'How long requests waited for a model.',
    labelNames: ['protocol'],
    buckets: SECONDS,
    registers,
  });
  const firstByteSeconds = new Histogram({
    name: 'mai_time_to_first_byte_seconds',
    help: "Time from the runtime's request to the first byte of its answer, by model. In a stream this is the time to the first token.",
    labelNames: ['model'],
    buckets: SECONDS,
    registers,
  });
  const requestSeconds = new Histogram({
    name: 'mai_request_duration_seconds',
    help: 'Time from a request to the end of its answer.',
    labelNames: ['protocol'],
    buckets: SECONDS,
    registers,
  });
  const gauge = gaugesOf(registers);
  gauge('mai_queue_depth', 'Requests that wait for a model.', () => scheduler.state().waiting);
  gauge(
    'mai_queue_oldest_wait_seconds',
    'How long the oldest request has waited.',
    () => scheduler.state().oldestWaitMs / 1000,
  );
  gauge('mai_requests_running', 'Requests that run on a resident.', () =>
    scheduler.state().lanes.reduce((sum, { running }) => sum + running, 0),
  );
  const stopFollowing =
    watch === null ? null : followMachine({ watch, registers, models, loadBuckets: LOAD_SECONDS });

  const count = (request: ServedRequest): void => {
    const { protocol, status, failure, usage, firstByteMs } = request;
    const model = models.of(request.modelKey);
    requests.inc({ protocol, model, status: String(status) });
    if (failure !== null) errors.inc({ protocol, code: failure.code });
    if (request.gone) gone.inc({ protocol });
    if (request.fallbacks > 0) fallbacks.inc({ protocol }, request.fallbacks);
    if (usage?.promptTokens) tokens.inc({ model, kind: 'prompt' }, usage.promptTokens);
    if (usage?.outputTokens) tokens.inc({ model, kind: 'output' }, usage.outputTokens);
    queueSeconds.observe({ protocol }, request.queueMs / 1000);
    requestSeconds.observe({ protocol }, request.tookMs / 1000);
    if (firstByteMs !== null) firstByteSeconds.observe({ model }, firstByteMs / 1000);
  };
  let uncounted: ServedRequest[] = [];
  const countAll = (): void => {
    for (const request of uncounted) count(request);
    uncounted = [];
  };

  return {
    served: (request) => {
      uncounted.push(request);
      if (uncounted.length >= COUNTED_TOGETHER) countAll();
    },
    handle: async (request, response) => {
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        sendFailure(response, chatCompletions, WRONG_METHOD, { allow: 'GET, HEAD' });
        return;
      }
      countAll();
      const text = await registry.metrics();
      response.writeHead(200, {
        'content-type': registry.contentType,
        'content-length': Buffer.byteLength(text),
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      });
      response.end(request.method === 'HEAD' ? undefined : text);
    },
    names: () => registry.getMetricsAsArray().map(({ name }) => name),
    [Symbol.asyncDispose]: () => {
      stopFollowing?.();
      registry.clear();
      return Promise.resolve();
    },
  };
}
