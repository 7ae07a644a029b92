import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ask } from '../../test/ask.js';
import { createFakeMachine, decidedAt, GIB, LOADED } from '../../test/fakes/fake-machine.js';
import { createFakeClock } from '../../test/fakes/fake-clock.js';
import { listenOn } from '../../test/worlds/serve-through.js';
import { watchMachine } from '../control/watch/machine-watch.js';
import type { ServedRequest } from '../server/inference/served-request.js';
import { createBoundedLabels } from './bounded-labels.js';
import { createMetrics } from './create-metrics.js';

const SERVED: ServedRequest = {
  protocol: 'openai-chat',
  facts: null,
  modelKey: LOADED,
  instanceIdentifier: 'mai/test/small',
  decisionId: null,
  status: 200,
  failure: null,
  gone: false,
  queueMs: 1500,
  fallbacks: 1,
  tookMs: 4000,
  firstByteMs: 200,
  usage: { promptTokens: 120, outputTokens: 30 },
  responseId: null,
};

async function open() {
  const machine = createFakeMachine();
  const clock = createFakeClock();
  const watch = watchMachine(machine.port, clock, () => machine.port.status());
  const metrics = createMetrics({
    watch,
    scheduler: {
      state: () => ({
        lanes: [{ modelKey: LOADED, instanceIdentifier: 'a', running: 3, draining: false }],
        waiting: 7,
        oldestWaitMs: 2500,
        loading: null,
      }),
    },
    version: '0.1.0',
  });
  const server = createServer((request, response) => void metrics.handle(request, response));
  const url = await listenOn(server);
  return {
    machine,
    clock,
    metrics,
    url,
    emit: async (...events: Parameters<typeof machine.emit>[0][]) => {
      for (const event of events) machine.emit(event);
      await new Promise((resolve) => setTimeout(resolve, 20));
    },
    [Symbol.asyncDispose]: async () => {
      await metrics[Symbol.asyncDispose]();
      await watch[Symbol.asyncDispose]();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('requests are counted by protocol, status, model, tokens and time', async () => {
  await using world = await open();
  world.metrics.served(SERVED);
  world.metrics.served({
    ...SERVED,
    modelKey: null,
    status: 503,
    usage: null,
    firstByteMs: null,
    fallbacks: 0,
    gone: true,
    failure: { code: 'queue_full', status: 503, message: 'full', retryAfterSeconds: 1 },
  });
  const { text, headers } = await ask(world.url, { path: '/metrics' });
  expect(headers['content-type']).toContain('text/plain');
  for (const line of [
    'mai_requests_total{protocol="openai-chat",model="test/small",status="200"} 1',
    'mai_requests_total{protocol="openai-chat",model="none",status="503"} 1',
    'mai_request_errors_total{protocol="openai-chat",code="queue_full"} 1',
    'mai_requests_cancelled_total{protocol="openai-chat"} 1',
    'mai_fallbacks_total{protocol="openai-chat"} 1',
    'mai_tokens_total{model="test/small",kind="prompt"} 120',
    'mai_tokens_total{model="test/small",kind="output"} 30',
    'mai_queue_wait_seconds_bucket{le="1",protocol="openai-chat"} 0',
    'mai_queue_wait_seconds_bucket{le="2.5",protocol="openai-chat"} 2',
    'mai_time_to_first_byte_seconds_bucket{le="0.25",model="test/small"} 1',
    'mai_time_to_first_byte_seconds_count{model="test/small"} 1',
    'mai_queue_depth 7',
    'mai_requests_running 3',
    'mai_queue_oldest_wait_seconds 2.5',
    'mai_build_info{version="0.1.0"} 1',
  ]) {
    expect(text.split('\n')).toContain(line);
  }
});

test('the process is measured when Prometheus asks, and nothing wakes it before', async () => {
  await using world = await open();
  const read = async (name: string): Promise<number> => {
    const { text } = await ask(world.url);
    return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
  };
  const usedBefore = process.cpuUsage();
  const seconds = await read('process_cpu_seconds_total');
  expect(seconds).toBeGreaterThanOrEqual((usedBefore.user + usedBefore.system) / 1e6);
  expect(await read('process_cpu_seconds_total')).toBeGreaterThanOrEqual(seconds);
  expect(await read('process_resident_memory_bytes')).toBeGreaterThan(1_048_576);
  expect(await read('nodejs_heap_size_used_bytes')).toBeGreaterThan(1_048_576);
  expect(await read('process_start_time_seconds')).toBeLessThanOrEqual(Date.now() / 1000);
  if (process.platform === 'linux') expect(await read('process_open_fds')).toBeGreaterThan(2);
  // Its measurement takes a timer of 10 ms.
  expect(world.metrics.names()).not.toContain('nodejs_eventloop_lag_seconds');
});

test('memory, footprints, decisions, switches and loads come from the machine', async () => {
  await using world = await open();
  const atMs = world.clock.nowMs();
  const decided = decidedAt(atMs);
  if (decided.type !== 'decided') throw new Error('not a decision');
  const [resident] = decided.input.residents;
  if (resident === undefined) throw new Error('no resident');
  const observation = { loadedAtMs: 1, processBytes: 1.5 * GIB, usedBefore: [] };
  await world.emit(
    { ...decided, input: { ...decided.input, residents: [{ ...resident, observation }] } },
    // The same decision again counts once.
    decidedAt(atMs + 100),
    { type: 'switch-step', atMs, step: { type: 'loaded', instance: resident, tookMs: 3000 } },
    {
      type: 'switch-step',
      atMs,
      step: { type: 'load-failed', failure: { modelKey: LOADED, message: 'x' } },
    },
    {
      type: 'switch-finished',
      atMs,
      reason: 'YIELD',
      tookMs: 1,
      report: { outcome: 'switched', loaded: [], unloaded: [], failures: [] },
    },
    {
      ...decided,
      atMs: atMs + 2000,
      input: { ...decided.input, residents: [{ ...resident, observation }] },
    },
  );
  const { text } = await ask(world.url);
  const others = 8 * GIB - 1.5 * GIB;
  for (const line of [
    `mai_memory_bytes{pool="ram",kind="total"} ${16 * GIB}`,
    `mai_memory_bytes{pool="ram",kind="limit"} ${12 * GIB}`,
    `mai_memory_bytes{pool="ram",kind="hard_limit"} ${15 * GIB}`,
    `mai_memory_bytes{pool="ram",kind="others"} ${others}`,
    `mai_memory_bytes{pool="ram",kind="models"} ${2.5 * GIB}`,
    `mai_resident_bytes{model="test/small",kind="expected"} ${2 * GIB}`,
    `mai_resident_bytes{model="test/small",kind="measured"} ${2.5 * GIB}`,
    'mai_residents{model="test/small"} 1',
    'mai_decisions_total{decision="keep",reason="STEADY"} 1',
    'mai_switches_total{reason="YIELD",outcome="switched"} 1',
    'mai_load_seconds_bucket{le="5",model="test/small"} 1',
    'mai_load_failures_total{model="test/small"} 1',
    'mai_autopilot_up 1',
  ]) {
    expect(text.split('\n')).toContain(line);
  }
});

test('two gateways in one process do not share figures', async () => {
  await using one = await open();
  await using other = await open();
  one.metrics.served(SERVED);
  expect((await ask(other.url)).text).not.toContain('test/small",status');
});

test('the number of values of a label is bounded', () => {
  const labels = createBoundedLabels(2);
  expect(['a', 'b', 'c', 'a', null].map((name) => labels.of(name))).toEqual([
    'a',
    'b',
    'other',
    'a',
    'none',
  ]);
  expect(createBoundedLabels().of('x'.repeat(201))).toBe('other');
});

test('the name of a model cannot break the format', async () => {
  await using world = await open();
  world.metrics.served({ ...SERVED, modelKey: 'a"} 1\nmai_forged 1\\' });
  const { text } = await ask(world.url);
  expect(text).not.toMatch(/^mai_forged/m);
});

test('another method is refused', async () => {
  await using world = await open();
  expect((await ask(world.url, { method: 'POST' })).status).toBe(405);
});

describe('the Grafana dashboard', () => {
  const dashboard = JSON.parse(
    readFileSync(path.join(__dirname, '..', '..', 'grafana', 'mai.json'), 'utf8'),
  );
  interface Panel {
    readonly type: string;
    readonly id: number;
    readonly datasource?: { readonly uid: string };
    readonly gridPos: {
      readonly x: number;
      readonly y: number;
      readonly w: number;
      readonly h: number;
    };
    readonly targets?: readonly { readonly expr: string }[];
  }
  const panels: readonly Panel[] = dashboard.panels;

  const metricsIn = (expr: string): readonly string[] =>
    [...expr.replace(/\{[^}]*\}/g, '').matchAll(/\b(?:mai|process|nodejs)_[a-z_]+/g)].map(
      ([name]) => name.replace(/_(bucket|count|sum)$/, ''),
    );

  test('every metric in it exists, and every metric of Mai is in it', async () => {
    await using world = await open();
    const names = world.metrics.names();
    const used = panels.flatMap(({ targets = [] }) =>
      targets.flatMap(({ expr }) => metricsIn(expr)),
    );
    expect(used.filter((name) => !names.includes(name))).toEqual([]);
    expect(names.filter((name) => name.startsWith('mai_') && !used.includes(name))).toEqual([]);
  });

  test('its data source is a variable, and its panels have places and ids of their own', () => {
    expect(dashboard.templating.list[0]).toMatchObject({ name: 'datasource', type: 'datasource' });
    const shown = panels.filter(({ type }) => type !== 'row');
    expect(new Set(shown.map(({ datasource }) => datasource?.uid))).toEqual(
      new Set(['${datasource}']),
    );
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const [index, { gridPos: one }] of panels.entries()) {
      expect(one.x + one.w).toBeLessThanOrEqual(24);
      for (const { gridPos: other } of panels.slice(index + 1)) {
        const overlaps =
          one.x < other.x + other.w &&
          other.x < one.x + one.w &&
          one.y < other.y + other.h &&
          other.y < one.y + one.h;
        expect(overlaps).toBe(false);
      }
    }
  });
});
