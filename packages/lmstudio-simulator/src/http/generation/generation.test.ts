import { ask, parseEvents, post, stream } from '../../../test/http-client.js';
import { rejection, until } from '../../../test/connect-sdk.js';
import { manualClock, startSimulator } from '../../index.js';
import type { Simulator, SimulatorOptions } from '../../index.js';

const CHAT = '/v1/chat/completions';
const KEY = 'qwen/qwen3-4b';
const OTHER = 'qwen/qwen3-1.7b';
const EMBEDDING = 'text-embedding-nomic-embed-text-v1.5';
const MESSAGES = [{ role: 'user', content: 'Hello' }];
const HELLO = { model: KEY, messages: MESSAGES };
const NO_MODEL = {
  error: {
    message:
      "No models loaded. Please load a model in the developer page or use the 'lms load' command.",
    type: 'invalid_request_error',
    param: 'model',
    code: null,
  },
};

function start(options: SimulatorOptions = {}): Promise<Simulator> {
  return startSimulator({ speed: 1000, ...options });
}

test('a request with an unknown model name goes to the only instance, and is refused where several are loaded', async () => {
  await using simulator = await start({ world: { justInTime: { autoEvict: false } } });
  const unknown = { model: 'nope', messages: MESSAGES };
  expect(await ask(simulator, CHAT, unknown)).toEqual([400, NO_MODEL]);
  await ask(simulator, CHAT, HELLO);
  expect((await ask(simulator, CHAT, unknown))[1]).toMatchObject({ model: KEY });
  expect((await ask(simulator, CHAT, { messages: MESSAGES }))[1]).toMatchObject({ model: KEY });
  await ask(simulator, CHAT, { ...HELLO, model: OTHER });
  expect(await ask(simulator, CHAT, unknown)).toEqual([
    400,
    {
      error: {
        message: expect.stringMatching(
          /^Invalid model identifier "nope". Please specify a valid downloaded model \(e.g., .+\).$/,
        ),
        type: 'invalid_request_error',
        param: 'model',
        code: 'model_not_found',
      },
    },
  ]);
  expect((await ask(simulator, CHAT, { messages: MESSAGES }))[0]).toBe(400);
});

test('without just-in-time loading, a model that is not loaded is refused', async () => {
  await using simulator = await start({ world: { justInTime: { enabled: false } } });
  expect(await ask(simulator, CHAT, HELLO)).toEqual([400, NO_MODEL]);
  expect(simulator.residents()).toEqual([]);
});

test('concurrent requests share a load, the next model evicts the first, and ttl is in seconds', async () => {
  await using simulator = await start();
  const answers = await Promise.all([1, 2, 3].map(() => ask(simulator, CHAT, HELLO)));
  expect(answers.map(([status]) => status)).toEqual([200, 200, 200]);
  expect(simulator.residents()).toHaveLength(1);
  await ask(simulator, CHAT, { ...HELLO, model: OTHER, ttl: 60 });
  expect(simulator.residents()).toMatchObject([{ instanceIdentifier: OTHER, ttlMs: 60_000 }]);
});

test('a failed load gets status 400, because its stream has not begun', async () => {
  await using simulator = await start();
  simulator.fault.crashLoad({ times: 1 });
  expect(await ask(simulator, CHAT, { ...HELLO, stream: true })).toEqual([
    400,
    {
      error: {
        message: `Failed to load model "${KEY}". Error: Error loading model.`,
        type: 'invalid_request_error',
        param: 'model',
        code: 'model_not_found',
      },
    },
  ]);
  const embedding = { ...HELLO, model: EMBEDDING };
  expect((await ask(simulator, CHAT, embedding))[0]).toBe(400);
});

test('text completions are answered and streamed, with statistics in REST v0', async () => {
  await using simulator = await start();
  const request = { model: KEY, prompt: 'Hello', max_tokens: 2 };
  expect(await ask(simulator, '/v1/completions', request)).toMatchObject([
    200,
    {
      id: expect.stringMatching(/^cmpl-/),
      object: 'text_completion',
      choices: [{ index: 0, text: 'Hello from', logprobs: null, finish_reason: 'length' }],
      usage: { prompt_tokens: 2, completion_tokens: 2, total_tokens: 4 },
    },
  ]);
  const options = { ...request, stream_options: { include_usage: true } };
  expect(await stream(simulator, '/v1/completions', options)).toMatchObject([
    { data: { choices: [{ text: 'Hello', finish_reason: null }] } },
    { data: { choices: [{ text: ' from', finish_reason: null }] } },
    { data: { choices: [{ text: '', finish_reason: 'length' }] } },
    { data: { choices: [], usage: { total_tokens: 4 } } },
    { data: '[DONE]' },
  ]);
  expect((await ask(simulator, '/api/v0/completions', request))[1]).toMatchObject({
    stats: { stop_reason: 'maxPredictedTokensReached' },
  });
});

test('each text gets an embedding of numbers, even where the request asks for base64', async () => {
  await using simulator = await start();
  const request = { model: EMBEDDING, input: ['one', 'two'], encoding_format: 'base64' };
  const [status, body] = await ask(simulator, '/v1/embeddings', request);
  expect(status).toBe(200);
  expect(body).toMatchObject({
    object: 'list',
    data: [
      { object: 'embedding', index: 0, embedding: expect.any(Array) },
      { object: 'embedding', index: 1, embedding: expect.any(Array) },
    ],
    model: EMBEDDING,
    usage: { prompt_tokens: 0, total_tokens: 0 },
  });
  const [first, second] = (body as { data: { embedding: number[] }[] }).data;
  expect(first?.embedding).toHaveLength(768);
  expect(first?.embedding).not.toEqual(second?.embedding);
  expect((await ask(simulator, '/v1/embeddings', { ...request, model: KEY }))[0]).toBe(400);
});

test('an endpoint answers from its first version on', async () => {
  const answers = async (options: SimulatorOptions, path: string): Promise<boolean> => {
    await using simulator = await start(options);
    const [status, body] = await ask(simulator, path, {});
    return status !== 200 || !JSON.stringify(body).includes('Unexpected endpoint');
  };
  expect(await answers({ profile: 'lmstudio@0.3.23' }, '/v1/responses')).toBe(false);
  expect(await answers({ profile: 'lmstudio@0.3.31' }, '/v1/responses')).toBe(true);
  expect(await answers({ profile: 'lmstudio@0.3.31' }, '/v1/messages')).toBe(false);
  expect(await answers({ profile: 'lmstudio@0.4.1' }, '/v1/messages')).toBe(true);
  expect(await answers({ profile: 'lmstudio@0.3.31' }, '/api/v1/models/load')).toBe(false);
  expect(await answers({ profile: 'lmstudio@0.4.1' }, '/api/v1/models/load')).toBe(true);
  const without = { httpEndpoints: { 'POST /v1/responses': false } } as const;
  expect(await answers({ world: without }, '/v1/responses')).toBe(false);
});

describe('a client that has gone', () => {
  test('cancels its prediction long before the end of the answer, and the log says so', async () => {
    await using simulator = await start({
      speed: 1,
      world: { answers: { textTokens: 10_000 }, machine: { loadBytesPerSecond: 1e12 } },
    });
    const controller = new AbortController();
    const response = await post(
      simulator,
      CHAT,
      { ...HELLO, stream: true },
      { signal: controller.signal },
    );
    const reader = response.body?.getReader();
    await reader?.read();
    expect(simulator.residents()).toMatchObject([{ activity: 'generating' }]);
    controller.abort();
    await simulator.seen('disconnect');
    const entry = simulator.requests.at(-1);
    expect(entry).toMatchObject({
      via: 'http',
      endpoint: 'disconnect',
      parameter: { endpoint: CHAT, requestedAtMs: expect.any(Number) },
    });
    expect(simulator.residents()).toMatchObject([{ activity: 'idle', queued: 0 }]);
  });

  test('while the prompt is processed, lets LM Studio finish the prompt first', async () => {
    const clock = manualClock();
    await using simulator = await start({
      speed: 1,
      clock,
      world: { machine: { promptTokensPerSecond: 1 } },
    });
    const controller = new AbortController();
    const load = ask(simulator, '/api/v1/models/load', { model: KEY });
    await simulator.seen('/api/v1/models/load');
    await clock.advance(60_000);
    await load;
    const outcome = rejection(post(simulator, CHAT, HELLO, { signal: controller.signal }));
    await simulator.seen(CHAT);
    await clock.advance(1000);
    controller.abort();
    await outcome;
    await simulator.seen('disconnect');
    expect(simulator.residents()).toMatchObject([{ activity: 'processingPrompt' }]);
    await clock.advance(2000);
    expect(simulator.residents()).toMatchObject([{ activity: 'idle' }]);
  });

  test('while queued, leaves the queue, and the log does not note a client that gets its whole answer', async () => {
    await using simulator = await start({
      speed: 1,
      world: {
        answers: { textTokens: 10_000 },
        loadDefaults: { parallelSequences: 1 },
        machine: { loadBytesPerSecond: 1e12 },
      },
    });
    const controllers = [new AbortController(), new AbortController()];
    const [first, second] = controllers.map(({ signal }) =>
      rejection(post(simulator, CHAT, HELLO, { signal })),
    );
    await until(() => simulator.residents()[0]?.queued === 1);
    controllers[1]?.abort();
    await second;
    await simulator.seen('disconnect');
    expect(simulator.residents()).toMatchObject([{ queued: 0, activity: 'generating' }]);
    controllers[0]?.abort();
    await first;
    await simulator.seen('disconnect', 2);
    await ask(simulator, CHAT, { ...HELLO, max_tokens: 1 });
    expect(simulator.requests.at(-1)).toMatchObject({ endpoint: CHAT });
  });

  test('during a load, cancels the load where loadAfterDisconnect is cancel', async () => {
    await using simulator = await start({ speed: 1, world: { loadAfterDisconnect: 'cancel' } });
    const controller = new AbortController();
    const outcome = rejection(post(simulator, CHAT, HELLO, { signal: controller.signal }));
    await until(() => (simulator.memoryInUse().gpus[0]?.bytes ?? 0) > 0);
    controller.abort();
    await outcome;
    await until(() => simulator.memoryInUse().gpus[0]?.bytes === 0);
    expect(simulator.residents()).toEqual([]);
  });
});

describe('faults', () => {
  test('slow-first-token delays the first token', async () => {
    const clock = manualClock();
    await using simulator = await start({ speed: 1, clock });
    simulator.fault.slowFirstToken({ delayMs: 660_000, times: 1 });
    const response = ask(simulator, CHAT, HELLO);
    await simulator.seen(CHAT);
    await clock.advance(60_000);
    expect(simulator.residents()).toMatchObject([{ activity: 'processingPrompt' }]);
    await clock.advance(610_000);
    expect((await response)[0]).toBe(200);
  });

  test('cut-stream cuts the connection after three tokens, and is not counted as a disconnect of the client', async () => {
    await using simulator = await start();
    simulator.fault.cutStream({ times: 2 });
    const response = await post(simulator, CHAT, { ...HELLO, stream: true });
    const decoder = new TextDecoder();
    let text = '';
    const error = await rejection(
      (async () => {
        for await (const chunk of response.body ?? []) text += decoder.decode(chunk as Uint8Array);
      })(),
    );
    expect(error.message).toBe('terminated');
    expect(parseEvents(text)).toHaveLength(3);
    expect((await rejection(post(simulator, CHAT, HELLO))).message).toBe('fetch failed');
    expect(simulator.requests.map(({ endpoint }) => endpoint)).not.toContain('disconnect');
    expect((await ask(simulator, CHAT, HELLO))[0]).toBe(200);
  });

  test('stream-error ends a stream with an error event, and the model stays', async () => {
    await using simulator = await start();
    simulator.fault.streamError({ afterTokens: 2, text: 'Broken.', endpoint: CHAT });
    const events = await stream(simulator, CHAT, HELLO);
    expect(events).toHaveLength(3);
    expect(events.at(-1)).toEqual({
      name: 'error',
      data: { error: { message: 'Broken.' }, message: 'Broken.' },
    });
    expect(await ask(simulator, CHAT, HELLO)).toEqual([400, { error: 'Broken.' }]);
    const messages = await stream(simulator, '/v1/messages', { ...HELLO, max_tokens: 9 });
    expect(messages.at(-1)?.name).toBe('message_stop');
    expect(simulator.residents()).toMatchObject([{ activity: 'idle' }]);
  });

  test('http-error sends an error before the first byte, for one model or endpoint', async () => {
    await using simulator = await start();
    simulator.fault.httpError({ modelKey: KEY, times: 1 });
    expect((await ask(simulator, CHAT, { ...HELLO, model: OTHER }))[0]).toBe(200);
    expect(await ask(simulator, CHAT, { ...HELLO, stream: true })).toEqual([
      500,
      { error: 'Simulated error of the server.' },
    ]);
    simulator.fault.httpError({ endpoint: '/v1/messages', status: 529, text: 'Busy.', times: 1 });
    expect((await ask(simulator, CHAT, HELLO))[0]).toBe(200);
    expect(await ask(simulator, '/v1/messages', { ...HELLO, max_tokens: 1 })).toEqual([
      529,
      { type: 'error', error: { type: 'api_error', message: 'Busy.' } },
    ]);
  });

  test('crash-prediction ends every prediction of the instance, and removes the instance', async () => {
    await using simulator = await start({
      speed: 10,
      world: { answers: { textTokens: 50 }, machine: { loadBytesPerSecond: 1e12 } },
    });
    const bystander = ask(simulator, CHAT, HELLO);
    await until(() => simulator.residents()[0]?.activity === 'generating');
    simulator.fault.crashPrediction({ cause: 'out-of-memory', times: 1 });
    const events = await stream(simulator, CHAT, HELLO);
    const message = 'The model has crashed without additional information. (Exit code: null)';
    expect(events).toHaveLength(4);
    expect(events.at(-1)).toEqual({ name: 'error', data: { error: { message }, message } });
    expect(await bystander).toEqual([400, { error: message }]);
    expect(simulator.residents()).toEqual([]);
    expect(simulator.memoryInUse().gpus[0]?.bytes).toBe(0);
  });

  test('unload-during-prediction ends a stream with an error event', async () => {
    await using simulator = await start();
    simulator.fault.unloadDuringPrediction({ afterTokens: 1, times: 2 });
    const events = await stream(simulator, CHAT, HELLO);
    expect(events.slice(1)).toEqual([
      {
        name: 'error',
        data: { error: { message: 'Model unloaded.' }, message: 'Model unloaded.' },
      },
    ]);
    expect(await ask(simulator, CHAT, HELLO)).toEqual([400, { error: 'Model unloaded.' }]);
    expect(simulator.residents()).toEqual([]);
  });
});

test('a restart cuts a stream, and the log does not note the client as gone', async () => {
  await using simulator = await start({ speed: 1, world: { answers: { textTokens: 10_000 } } });
  const controller = new AbortController();
  const loaded = ask(simulator, '/api/v1/models/load', { model: KEY });
  await loaded;
  const response = await post(
    simulator,
    CHAT,
    { ...HELLO, stream: true },
    { signal: controller.signal },
  );
  await simulator.restart();
  expect((await rejection(response.text())).message).toBe('terminated');
  expect(simulator.requests.map(({ endpoint }) => endpoint)).not.toContain('disconnect');
});
