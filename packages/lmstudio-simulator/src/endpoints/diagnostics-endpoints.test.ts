import type { DiagnosticsLogEvent } from '@lmstudio/sdk';
import { startWithClient, until } from '../../test/connect-sdk.js';
import type { ConnectedSimulator } from '../../test/connect-sdk.js';

const QUIET = { verbose: false } as const;

async function streamLogs({ client, simulator }: ConnectedSimulator): Promise<{
  readonly events: readonly DiagnosticsLogEvent['data'][];
  stop(): void;
}> {
  const events: DiagnosticsLogEvent['data'][] = [];
  const stop = client.diagnostics.unstable_streamLogs(({ data }) => events.push(data));
  await simulator.seen('streamLogs');
  return { events, stop };
}

test("runtime.log has the engine's lines with the buffers of a load, and names the instance and the pid", async () => {
  await using connected = await startWithClient({ enginePid: () => 4711 });
  const { events } = await streamLogs(connected);
  const model = await connected.client.llm.load('qwen/qwen3-8b', {
    ...QUIET,
    identifier: 'mine',
    config: { contextLength: 8192 },
  });
  const info = await model.getModelInfo();
  await until(() => events.length > 0);
  const lines = events.flatMap((event) => (event.type === 'runtime.log' ? [event] : []));
  for (const line of lines) {
    expect(line).toMatchObject({
      engineName: 'llama.cpp-linux-x86_64-nvidia-cuda12-avx2',
      engineVersion: '2.28.2',
      engineType: 'llama.cpp',
      modelIdentifier: 'mine',
      instanceReference: info?.instanceReference,
      pid: 4711,
    });
  }
  const messages = lines.map(({ message }) => message);
  expect(messages).toContain('load_tensors: offloaded 37/37 layers to GPU');
  // 5,027,783,488 bytes of weights; 36 layers x 8 heads x 128 x (2 + 2 bytes) x 8192 tokens.
  expect(messages).toContain('load_tensors:        CUDA0 model buffer size =  4794.87 MiB');
  expect(messages).toContain('llama_kv_cache:        CUDA0 KV buffer size =  1152.00 MiB');
  expect(connected.simulator.residents()[0]?.enginePid).toBe(4711);
  expect(connected.logged).toEqual([]);
});

test('where an engine has no process of its own, its log lines carry no pid', async () => {
  await using connected = await startWithClient({ profile: 'lmstudio@0.4.12' });
  const { events } = await streamLogs(connected);
  await connected.client.llm.load('qwen/qwen3-4b', QUIET);
  await until(() => events.length > 0);
  expect(events[0]).toMatchObject({ type: 'runtime.log', engineVersion: '2.13.0' });
  expect(events[0]).not.toHaveProperty('pid');
  expect(connected.simulator.residents()[0]?.enginePid).toBeNull();
});

test('the default pid is too high for a process of Linux, and each instance has its own pid', async () => {
  await using connected = await startWithClient();
  await connected.client.llm.load('qwen/qwen3-1.7b', QUIET);
  await connected.client.llm.load('qwen/qwen3-1.7b', QUIET);
  const pids = connected.simulator.residents().map(({ enginePid }) => enginePid ?? 0);
  expect(new Set(pids).size).toBe(2);
  for (const pid of pids) expect(pid).toBeGreaterThan(2 ** 22);
});

test('the stream carries the prompts and answers of all clients, and requests over HTTP', async () => {
  await using connected = await startWithClient();
  const { events } = await streamLogs(connected);
  const model = await connected.client.llm.load('qwen/qwen3-4b', QUIET);
  await model.respond('my secret', { maxTokens: 3 });
  await fetch(`${connected.simulator.httpUrl}/v1/models`);
  await until(() => events.some(({ type }) => type === 'server.log'));
  expect(events.filter(({ type }) => type !== 'runtime.log')).toMatchObject([
    {
      type: 'llm.prediction.input',
      input: 'user: my secret',
      modelPath: 'qwen/qwen3-4b',
      modelIdentifier: 'qwen/qwen3-4b',
    },
    {
      type: 'llm.prediction.output',
      output: 'Hello from the',
      stats: { stopReason: 'maxPredictedTokensReached' },
    },
    { type: 'server.log', content: 'GET /v1/models', level: 'info' },
  ]);
});

test('a stream that was stopped gets no more events', async () => {
  await using connected = await startWithClient();
  const { events, stop } = await streamLogs(connected);
  stop();
  await connected.simulator.seen('channelSend');
  await connected.client.llm.load('qwen/qwen3-4b', QUIET);
  expect(events).toEqual([]);
  expect(connected.logged).toEqual([]);
});
