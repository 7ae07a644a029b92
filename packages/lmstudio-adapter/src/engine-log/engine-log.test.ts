import { startSimulator } from '@mai/lmstudio-simulator';

import { connect } from '../index.js';
import { toLogEvent, withoutContent } from './engine-event.js';
import { EngineReports } from './engine-reports.js';
import { PredictionLog, type LoggedPrediction } from './prediction-log.js';
import { parseEngineLines } from './parse-engine-line.js';

const MIB = 2 ** 20;

// llama.cpp's lines with the figures of a load of qwen3-vl-4b in LM Studio 0.4.6 on a GTX 1650.
test.each([
  [
    'load_tensors:        CUDA0 model buffer size =  4076.43 MiB',
    { kind: 'buffer', part: 'weights', device: 'CUDA0', bytes: Math.round(4076.43 * MIB) },
  ],
  [
    'load_tensors:   CPU_Mapped model buffer size =   394.12 MiB',
    { kind: 'buffer', part: 'weights', device: 'CPU_Mapped', bytes: Math.round(394.12 * MIB) },
  ],
  [
    'llama_kv_cache_unified:      CUDA0 KV buffer size =  1152.00 MiB',
    { kind: 'buffer', part: 'kv-cache', device: 'CUDA0', bytes: 1152 * MIB },
  ],
  [
    'llama_memory_recurrent:      CUDA0 RS buffer size =   598.50 MiB',
    { kind: 'buffer', part: 'state', device: 'CUDA0', bytes: 598.5 * MIB },
  ],
  [
    '0.01.234.567 I llama_context:  CUDA_Host  output buffer size =     0.58 MiB',
    { kind: 'buffer', part: 'output', device: 'CUDA_Host', bytes: Math.round(0.58 * MIB) },
  ],
  [
    'sched_reserve:      CUDA0 compute buffer size =   301.75 MiB',
    { kind: 'buffer', part: 'compute', device: 'CUDA0', bytes: 301.75 * MIB },
  ],
  [
    'alloc_compute_meta:      CUDA0 compute buffer size =   322.49 MiB',
    {
      kind: 'buffer',
      part: 'projector-compute',
      device: 'CUDA0',
      bytes: Math.round(322.49 * MIB),
    },
  ],
  [
    'load_tensors: offloaded 37/41 layers to GPU',
    { kind: 'offloaded', layersOnGpu: 37, layers: 41 },
  ],
])('reads %j', (line, fact) => {
  expect(parseEngineLines(line)).toEqual([fact]);
});

test.each([
  'KV buffer size = 12 MiB is what the user asked about',
  'load_tensors:        CUDA0 model buffer size =  4076.43 parsecs',
  'prompt: load_tensors:        CUDA0 model buffer size =  4076.43 MiB',
  'my notes: Ada model buffer size = 1.00 MiB',
  'load_tensors: Ada model buffer size = 1.00 MiB',
  '',
])('reads nothing in %j', (line) => {
  expect(parseEngineLines(line)).toEqual([]);
});

test.each([
  'srv  params_from_: Chat format: peg-native, prompt: what is my secret?',
  'slot launch_slot_: id  0 | task 1 | processing task',
  // Also where each line of the quoted log is a message's line of its own.
  "slot update_slots: prompt = '\nload_tensors:        CUDA0 model buffer size =  4076.43 MiB\n'",
  'You asked:\nload_tensors:        CUDA0 model buffer size =  4076.43 MiB',
])('takes %j for a sign that the load has ended', (message) => {
  expect(parseEngineLines(message)).toEqual([{ kind: 'ended' }]);
});

const logged = (message: string, names: Readonly<Record<string, unknown>> = {}): unknown => ({
  timestamp: 1,
  data: {
    type: 'runtime.log',
    level: 'info',
    message,
    engineName: 'llama.cpp-linux-x86_64-nvidia-cuda12-avx2',
    engineVersion: '2.28.2',
    engineType: 'llama.cpp',
    ...names,
  },
});

function reportsOf(events: readonly unknown[]) {
  const reports = new EngineReports();
  for (const event of events) {
    const read = toLogEvent(event);
    if (read !== null) reports.add(read);
  }
  return reports.list();
}

test('reports process, layers and buffers of an instance, summed by part and device', () => {
  const names = { modelIdentifier: 'mine', instanceReference: 'ref-1', pid: 4711 };
  expect(
    reportsOf([
      logged('load_tensors: offloaded 41/41 layers to GPU', names),
      logged('load_tensors: Metal_Mapped model buffer size = 100.00 MiB', names),
      logged('load_tensors: Metal_Mapped model buffer size = 20.00 MiB', names),
      logged('llama_context: constructing llama_context', names),
      logged('llama_context: Metal compute buffer size = 300.00 MiB', names),
      // The engine reserves its buffers again, so this line replaces the previous line.
      logged('llama_context: Metal compute buffer size = 310.00 MiB', names),
      // The context of a draft model.
      logged('llama_context: constructing llama_context', names),
      logged('llama_context: Metal compute buffer size = 5.00 MiB', names),
      logged('load_tensors: offloaded 2/2 layers to GPU', names),
    ]),
  ).toEqual([
    {
      instanceIdentifier: 'mine',
      reference: 'ref-1',
      engine: { name: 'llama.cpp-linux-x86_64-nvidia-cuda12-avx2', version: '2.28.2' },
      pid: 4711,
      offloadedLayers: { onGpu: 41, total: 41 },
      buffers: [
        { part: 'weights', device: 'Metal_Mapped', bytes: 120 * MIB },
        { part: 'compute', device: 'Metal', bytes: 315 * MIB },
      ],
    },
  ]);
});

test('joins the lines of a process with the instance that is named later, and keeps instances apart', () => {
  const line = 'load_tensors: CUDA0 model buffer size = 1.00 MiB';
  const reports = reportsOf([
    logged(line, { pid: 1 }),
    logged(line, { pid: 2, instanceReference: 'b' }),
    logged('', { pid: 1, instanceReference: 'a', modelIdentifier: 'model-a' }),
    // The same process number again, for another instance.
    logged(line, { pid: 1, instanceReference: 'c' }),
  ]);
  expect(reports.map(({ reference, pid, buffers }) => [reference, pid, buffers.length])).toEqual([
    ['a', 1, 1],
    ['b', 2, 1],
    ['c', 1, 1],
  ]);
});

describe('a prompt that quotes the lines of a load', () => {
  const names = { modelIdentifier: 'mine', instanceReference: 'ref-1', pid: 4711 };
  const quoted = [
    'load_tensors: offloaded 1/1 layers to GPU',
    'load_tensors: CUDA0 model buffer size = 5.00 MiB',
    'llama_context: CUDA0 compute buffer size = 5.00 MiB',
  ];
  const load = [
    logged('load_tensors: CUDA0 model buffer size = 100.00 MiB', names),
    logged('llama_context: CUDA0 compute buffer size = 30.00 MiB', names),
  ];
  const loaded = [
    { part: 'weights', device: 'CUDA0', bytes: 100 * MIB },
    { part: 'compute', device: 'CUDA0', bytes: 30 * MIB },
  ];
  const input = { data: { type: 'llm.prediction.input', input: 'x', modelIdentifier: 'mine' } };

  test.each<[string, readonly unknown[]]>([
    ['in one message', [logged(`slot 0: prompt = '${quoted.join('\n')}'`, names)]],
    [
      'in a message for each line',
      ["slot 0: prompt = '", ...quoted].map((line) => logged(line, names)),
    ],
    ['after a request', [input, ...quoted.map((line) => logged(line, names))]],
  ])('adds nothing to the buffers: %s', (_how, events) => {
    const read = [...load, ...events].map((one) => withoutContent({ log: one }));
    const [report] = reportsOf(read.map((one): unknown => Reflect.get(Object(one), 'log')));
    expect(report?.buffers).toEqual(loaded);
    expect(report?.offloadedLayers).toBeNull();
  });

  test('adds nothing to an instance that was loaded before the watch', () => {
    const reports = new EngineReports();
    reports.markLoaded(['ref-1']);
    for (const line of quoted) {
      const event = toLogEvent(logged(line, names));
      if (event !== null) reports.add(event);
    }
    expect(reports.list()).toMatchObject([{ reference: 'ref-1', pid: 4711, buffers: [] }]);
  });

  test('lines before those about the weights are not of a load that the watch has seen', () => {
    const [report] = reportsOf(quoted.slice(2).map((line) => logged(line, names)));
    expect(report?.buffers).toEqual([]);
  });
});

const SECRET = 'the patient is called Ada';

test.each([
  [{ type: 'llm.prediction.input', input: SECRET, modelPath: 'p', modelIdentifier: 'm' }],
  [{ type: 'llm.prediction.output', output: SECRET, modelIdentifier: 'm' }],
  [
    {
      type: 'llm.prediction.output',
      output: SECRET,
      stats: { stopString: SECRET, predictedTokensCount: SECRET, tokensPerSecond: 3 },
    },
  ],
  [{ type: 'server.log', content: SECRET, level: 'info' }],
  [{ type: 'llm.prediction.something-new', text: SECRET }],
  [{ type: 'runtime.log', message: `slot update: prompt = ${SECRET}`, level: 'debug' }],
])('drops the content of %j', (data) => {
  const message = { type: 'log', log: { timestamp: 1, data } };
  const isEngineLog = data.type === 'runtime.log';
  expect(JSON.stringify(withoutContent(message)).includes(SECRET)).toBe(isEngineLog);
  expect(JSON.stringify(reportsOf([message.log]))).not.toContain(SECRET);
  expect(reportsOf([message.log])).toHaveLength(isEngineLog ? 1 : 0);
});

test('reports the engine of an instance that LM Studio loads, and no prompt', async () => {
  await using simulator = await startSimulator({ speed: 50 });
  await using client = await connect({ baseUrl: simulator.baseUrl });
  await using watch = await client.watchEngines();
  const { instance } = await client.load({ modelKey: 'qwen/qwen3-4b' });
  await client.generate({
    instanceIdentifier: instance.instanceIdentifier,
    prompt: SECRET,
    maxTokens: 3,
  });
  const report = watch.reports().find(({ reference }) => reference === instance.reference);
  expect(report).toMatchObject({ instanceIdentifier: 'qwen/qwen3-4b' });
  expect(report?.pid).toBeGreaterThan(0);
  expect(report?.offloadedLayers?.total).toBeGreaterThan(1);
  const parts = new Set(report?.buffers.map(({ part }) => part));
  expect([...parts].sort()).toEqual(['compute', 'kv-cache', 'weights']);
  expect(JSON.stringify(watch.reports())).not.toContain(SECRET);
});

test('the stream of logs is opened again after LM Studio restarts', async () => {
  await using simulator = await startSimulator({ speed: 50 });
  await using client = await connect({ baseUrl: simulator.baseUrl });
  await using watch = await client.watchEngines();
  await simulator.restart();
  await simulator.seen('streamLogs');
  while (simulator.requests.filter(({ endpoint }) => endpoint === 'streamLogs').length < 2) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await client.load({ modelKey: 'qwen/qwen3-4b' });
  expect(watch.reports()).toHaveLength(1);
});

test('an LM Studio without a stream of logs has no reports', async () => {
  await using simulator = await startSimulator({ speed: 50, profile: 'old' });
  await using client = await connect({ baseUrl: simulator.baseUrl });
  await using watch = await client.watchEngines();
  expect(watch.reports()).toEqual([]);
});

describe('the answers in the log', () => {
  const stats = { promptTokensCount: 30, predictedTokensCount: 40, tokensPerSecond: 12.5 };
  const request = (modelIdentifier: string, timestamp = 0) => ({
    timestamp,
    data: { type: 'llm.prediction.input', input: SECRET, modelIdentifier },
  });
  const answer = (modelIdentifier: string, more = {}) => ({
    timestamp: 0,
    data: {
      type: 'llm.prediction.output',
      output: SECRET,
      modelIdentifier,
      stats: { ...stats, ...more },
    },
  });
  const predictionsOf = (events: readonly unknown[]) => {
    const log = new PredictionLog();
    return events.flatMap((event) => {
      const kept: unknown = Reflect.get(Object(withoutContent({ log: event })), 'log');
      const read = toLogEvent(kept);
      return (read && log.add(read)) ?? [];
    });
  };
  const told = (instanceIdentifier: string) => ({
    instanceIdentifier,
    promptTokens: 30,
    predictedTokens: 40,
    tokensPerSecond: 12.5,
  });

  test('are reported with their figures, one after another', () => {
    const events = [request('a'), answer('a'), request('b'), answer('b')];
    expect(predictionsOf(events)).toEqual([told('a'), told('b')]);
  });

  test('are not reported if another request ran at the same time, on any instance', () => {
    const both = [request('a'), request('b'), answer('b'), answer('a')];
    expect(predictionsOf([...both, request('a'), answer('a')])).toEqual([told('a')]);
  });

  test('are not reported if a model was loaded meanwhile', () => {
    const load = logged('load_tensors: CUDA0 model buffer size = 1.00 MiB');
    expect(predictionsOf([request('a'), load, answer('a')])).toEqual([]);
  });

  test('are not reported without a request before, without figures, or with a draft model', () => {
    expect(predictionsOf([answer('a')])).toEqual([]);
    expect(predictionsOf([request('a'), answer('a', { tokensPerSecond: undefined })])).toEqual([]);
    expect(predictionsOf([request('a'), answer('a', { usedDraftModelKey: 'tiny' })])).toEqual([]);
  });

  test('are reported again ten minutes after a request that was never answered', () => {
    const minute = 60_000;
    const lost = [request('a'), request('a', 9 * minute), answer('a')];
    expect(predictionsOf(lost)).toEqual([]);
    expect(predictionsOf([request('a'), request('a', 10 * minute), answer('a')])).toEqual([
      told('a'),
    ]);
  });
});

test('the watch reports the answers of every client of LM Studio', async () => {
  await using simulator = await startSimulator({ speed: 50 });
  await using client = await connect({ baseUrl: simulator.baseUrl });
  const predictions: LoggedPrediction[] = [];
  await using _watch = await client.watchEngines({
    onPrediction: (prediction) => predictions.push(prediction),
  });
  const { instance } = await client.load({ modelKey: 'qwen/qwen3-4b' });
  await using other = await connect({ baseUrl: simulator.baseUrl });
  const { instanceIdentifier } = instance;
  const generation = await other.generate({ instanceIdentifier, prompt: SECRET, maxTokens: 3 });
  while (predictions.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(predictions).toEqual([
    {
      instanceIdentifier,
      promptTokens: generation.promptTokens,
      predictedTokens: 3,
      tokensPerSecond: generation.tokensPerSecond,
    },
  ]);
});
