import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';
import { caught, type Faults, fakeWorld, pidsOf } from '../../test/fake-world.js';
import { enginePids, runs, until } from '../../test/processes.js';

const load = async (faults: Faults) => {
  await using world = await fakeWorld();
  await world.write('model.gguf', faults);
  await using runtime = await world.open();
  const error = await caught(runtime.load({ modelKey: 'model' }));
  expect(await runtime.listResidents()).toEqual([]);
  expect(await enginePids()).toEqual([]);
  return error;
};

test('a stalled load ends at its deadline, and its process is gone', async () => {
  await using world = await fakeWorld();
  await world.write('model.gguf', { stallAt: 0.5 });
  await using runtime = await world.open();
  const error = await caught(runtime.load({ modelKey: 'model', timeoutMs: 500 }));
  expect(error).toMatchObject({ code: 'LOAD_TIMED_OUT', modelKey: 'model' });
  expect(await enginePids()).toEqual([]);
});

test('a load that blocks its process ends at its deadline, and the process is gone', async () => {
  await using world = await fakeWorld();
  await world.write('model.gguf', { blocks: true });
  await using runtime = await world.open();
  const error = await caught(runtime.load({ modelKey: 'model', timeoutMs: 500 }));
  expect(error).toMatchObject({ code: 'LOAD_TIMED_OUT' });
  await until('the process is gone', async () => (await enginePids()).length === 0, 2000);
});

test.each(['models', 'estimate'])(
  'a load ends at its deadline where the function `%s` never answers, and others load',
  async (hanging) => {
    await using world = await fakeWorld();
    await world.write('model.gguf');
    let hangs = true;
    const never = new Promise<never>(() => undefined);
    const hang = <T>(name: string, answer: T): Promise<T> =>
      hangs && name === hanging ? never : Promise.resolve(answer);
    await using runtime = await world.open({
      models: () => hang('models', []),
      estimate: () => hang('estimate', null),
    });
    const error = await caught(runtime.load({ modelKey: 'model', timeoutMs: 300 }));
    expect(error).toMatchObject({ code: 'LOAD_TIMED_OUT' });
    hangs = false;
    expect((await runtime.load({ modelKey: 'model' })).reused).toBe(false);
  },
);

test('a context above the maximum of the model becomes the maximum and is reported, also by a second load', async () => {
  await using world = await fakeWorld();
  await world.write('model.gguf');
  const asked: (number | null)[] = [];
  await using runtime = await world.open({
    estimate: (_, { contextLengthTokens }) => {
      asked.push(contextLengthTokens);
      return Promise.resolve(null);
    },
  });
  const request = {
    modelKey: 'model',
    loadConfig: { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: 2 ** 30 },
  };
  const { instance, verified } = await runtime.load(request);
  expect(instance.loadConfig.contextLengthTokens).toBe(8192);
  expect(verified).toEqual([{ field: 'contextLengthTokens', asked: 2 ** 30, got: 8192 }]);
  expect(asked).toEqual([8192]);
  expect(await runtime.load(request)).toMatchObject({ reused: true, verified });
});

test.each([
  [2 ** 31 - 1, 1, false],
  [2 ** 31, 1, true],
  [2 ** 23, 256, true],
])(
  'where the maximum is not known, %i tokens for each of %i sequences are refused: %p',
  async (contextLengthTokens, parallelSequences, isRefused) => {
    await using world = await fakeWorld();
    await world.write('model.gguf', {}, { 'general.architecture': 'llama' });
    await using runtime = await world.open();
    const loadConfig = { ...DEFAULT_LOAD_CONFIG, contextLengthTokens, parallelSequences };
    const loading = runtime.load({ modelKey: 'model', loadConfig });
    if (isRefused) {
      expect(await caught(loading)).toMatchObject({
        code: 'LOAD_REFUSED',
        message: expect.stringContaining('2147483648 tokens in all'),
      });
    } else {
      expect((await loading).verified).toEqual([]);
    }
  },
);

test('a cancelled load rejects with the reason, and its process is gone', async () => {
  await using world = await fakeWorld();
  await world.write('model.gguf', { stallAt: 0.5 });
  await using runtime = await world.open();
  const cancel = new AbortController();
  const reason = new Error('enough');
  const promise = runtime.load({
    modelKey: 'model',
    signal: cancel.signal,
    onProgress: (ratio) => ratio >= 0.5 && cancel.abort(reason),
  });
  expect(await caught(promise)).toBe(reason);
  expect(await enginePids()).toEqual([]);
  expect(await runtime.listResidents()).toEqual([]);
});

test('a model that the engine refuses is LOAD_FAILED with its message', async () => {
  expect(await load({ refuse: 'unknown model architecture: mystery' })).toMatchObject({
    code: 'LOAD_FAILED',
    outOfMemory: false,
    serverMessage: 'unknown model architecture: mystery',
    message: expect.stringContaining('unknown model architecture: mystery.'),
  });
});

test.each<[string, Faults, object]>([
  [
    'a crash of llama.cpp',
    { crash: 'ggml.c:1: GGML_ASSERT(x) failed', signal: 'SIGABRT' },
    {
      code: 'ENGINE_CRASHED',
      exitSignal: 'SIGABRT',
      exitCode: null,
      serverMessage: 'ggml.c:1: GGML_ASSERT(x) failed',
    },
  ],
  [
    'a kill in mid-load',
    { crash: '', signal: 'SIGKILL' },
    {
      code: 'ENGINE_CRASHED',
      exitSignal: 'SIGKILL',
      message: expect.stringContaining('memory'),
    },
  ],
  ['an exit in mid-load', { exit: 3 }, { code: 'ENGINE_CRASHED', exitSignal: null, exitCode: 3 }],
  [
    'the end of the process after llama.cpp refused the model',
    { crash: "llama_model_load: error loading model: unknown model architecture: 'mystery'" },
    { code: 'LOAD_FAILED', outOfMemory: false, message: expect.stringContaining('mystery') },
  ],
  [
    'the end of the process after memory ran out',
    { crash: 'alloc_tensor_range: failed to allocate CPU buffer of size 99999999999' },
    { code: 'LOAD_FAILED', outOfMemory: true },
  ],
])('%s has a code and a reason', async (_, faults, expected) => {
  expect(await load(faults)).toMatchObject(expected);
});

test('the parent survives a kill of a loading and of an idle engine, and can load again', async () => {
  await using world = await fakeWorld();
  await world.write('stalls.gguf', { stallAt: 0.1 });
  await world.write('model.gguf');
  await using runtime = await world.open();
  const onProgress = (ratio: number): void => {
    if (ratio > 0)
      void enginePids().then((pids) => pids.forEach((one) => process.kill(one, 'SIGKILL')));
  };
  const error = await caught(runtime.load({ modelKey: 'stalls', onProgress }));
  expect(error).toMatchObject({ code: 'ENGINE_CRASHED', exitSignal: 'SIGKILL' });
  await runtime.load({ modelKey: 'model' });
  const [pid = 0] = await pidsOf(runtime);
  process.kill(pid, 'SIGKILL');
  await until('the process is gone', async () => !(await runs(pid)));
  expect(await runtime.listResidents()).toEqual([]);
  expect((await runtime.load({ modelKey: 'model' })).reused).toBe(false);
});

test('equal requests share one load, and a caller that leaves does not end it', async () => {
  await using world = await fakeWorld();
  await world.write('model.gguf');
  await using runtime = await world.open();
  const cancel = new AbortController();
  const first = caught(runtime.load({ modelKey: 'model', signal: cancel.signal }));
  const second = runtime.load({ modelKey: 'model' });
  cancel.abort('left');
  expect(await first).toBe('left');
  expect((await second).reused).toBe(false);
  expect(await enginePids()).toHaveLength(1);
});

test('a context that the engine shortens is reported', async () => {
  await using world = await fakeWorld();
  await world.write('model.gguf', { contextLengthTokens: 1024 });
  await using runtime = await world.open();
  const { verified } = await runtime.load({
    modelKey: 'model',
    loadConfig: { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: 2048 },
  });
  expect(verified).toEqual([{ field: 'contextLengthTokens', asked: 2048, got: 1024 }]);
});

test('without a GPU, a requested offload is reported, and the same request reuses the resident', async () => {
  await using world = await fakeWorld();
  await world.write('model.gguf');
  await using runtime = await world.open({ engine: 'cpu' });
  const request = {
    modelKey: 'model',
    loadConfig: { ...DEFAULT_LOAD_CONFIG, offloadRatio: 0.5 },
  };
  const first = await runtime.load(request);
  expect(first.verified).toEqual([{ field: 'offloadRatio', asked: 0.5, got: 0 }]);
  expect(await runtime.load(request)).toMatchObject({ reused: true, verified: first.verified });
});

test('weights that the system does not lock are reported', async () => {
  await using world = await fakeWorld();
  await world.write('model.gguf');
  await using runtime = await world.open();
  // The fake engine locks nothing.
  const { verified } = await runtime.load({ modelKey: 'model', keepModelInMemory: true });
  expect(verified).toEqual([{ field: 'keepModelInMemory', asked: true, got: false }]);
});

test.each([
  ['contextLengthTokens', 0],
  ['parallelSequences', 1.5],
  ['parallelSequences', 257],
  ['offloadRatio', 1.1],
  ['cpuExpertRatio', -0.1],
  ['kvCacheTypeK', 'bf16'],
])('a load with %s %p is refused', async (field, value) => {
  await using world = await fakeWorld();
  await world.write('model.gguf');
  await using runtime = await world.open();
  const request = { modelKey: 'model', loadConfig: { ...DEFAULT_LOAD_CONFIG, [field]: value } };
  expect(await caught(runtime.load(request))).toMatchObject({
    code: 'LOAD_REFUSED',
    message: expect.stringContaining(field === 'kvCacheTypeK' ? 'bf16' : `${field} is ${value}`),
  });
});

test('a load that the estimate refuses is LOAD_REFUSED, unless the caller turns the check off', async () => {
  await using world = await fakeWorld();
  await world.write('model.gguf');
  const estimate = {
    confidence: 'high',
    weightsBytes: 3 * 2 ** 30,
    contextBytes: 2 ** 30,
    totalBytes: 4 * 2 ** 30,
    weightsVramBytes: 0,
    contextVramBytes: 0,
    totalVramBytes: 0,
    passesGuardrails: false,
  } as const;
  await using runtime = await world.open({ estimate: () => Promise.resolve(estimate) });
  expect(await caught(runtime.load({ modelKey: 'model' }))).toMatchObject({
    code: 'LOAD_REFUSED',
    message: expect.stringContaining('about 4.0 GiB'),
  });
  await runtime.load({ modelKey: 'model', checkGuardrails: false });
});

test('two runtimes that load one model at once share its engine, and refuse one identifier for two models', async () => {
  await using world = await fakeWorld();
  await world.write('model.gguf');
  await world.write('another.gguf');
  await using one = await world.open();
  await using other = await world.open();
  const loads = await Promise.all(
    [one, other].map((runtime) => runtime.load({ modelKey: 'model' })),
  );
  expect(loads.map(({ reused }) => reused).sort()).toEqual([false, true]);
  expect(await enginePids()).toHaveLength(1);
  const named = await Promise.allSettled([
    one.load({ modelKey: 'model', identifier: 'mine' }),
    other.load({ modelKey: 'another', identifier: 'mine' }),
  ]);
  expect(named.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(named.find(({ status }) => status === 'rejected')).toMatchObject({
    reason: { code: 'LOAD_REFUSED', message: expect.stringContaining('mine') },
  });
});

test('a load waits for the load of another runtime, and can be cancelled meanwhile', async () => {
  await using world = await fakeWorld();
  await world.write('stalls.gguf', { stallAt: 0.5 });
  await world.write('model.gguf');
  await using one = await world.open();
  await using other = await world.open();
  const stop = new AbortController();
  const stalled = new Promise<void>((resolve) => {
    const onProgress = (): void => resolve();
    void caught(one.load({ modelKey: 'stalls', onProgress, signal: stop.signal }));
  });
  await stalled;
  expect(await caught(other.load({ modelKey: 'model', timeoutMs: 300 }))).toMatchObject({
    code: 'LOAD_TIMED_OUT',
  });
  const waiting = other.load({ modelKey: 'model' });
  stop.abort();
  expect((await waiting).reused).toBe(false);
});

test.each([
  ['has ended', { pid: 4_194_305, startTime: '1', token: 'theirs' }],
  ['has ended, and whose number another process has', { pid: 1, startTime: '-1', token: 'theirs' }],
])('the lock of a process that %s is removed', async (_, holder) => {
  await using world = await fakeWorld();
  await world.write('model.gguf');
  await mkdir(world.state);
  await writeFile(path.join(world.state, 'loading.lock'), JSON.stringify(holder));
  await using one = await world.open();
  await using other = await world.open();
  const loads = await Promise.all(
    [one, other].map((runtime) => runtime.load({ modelKey: 'model' })),
  );
  expect(loads.map(({ reused }) => reused).sort()).toEqual([false, true]);
  expect((await readdir(world.state)).filter((name) => name.includes('lock'))).toEqual([]);
});

test('a state folder that cannot be written is LOAD_FAILED before the engine starts', async () => {
  await using world = await fakeWorld();
  await world.write('model.gguf');
  await writeFile(world.state, 'This is a file.');
  await using runtime = await world.open();
  expect(await caught(runtime.load({ modelKey: 'model' }))).toMatchObject({
    code: 'LOAD_FAILED',
    message: expect.stringContaining(`registered in ${world.state}`),
  });
  expect(await enginePids()).toEqual([]);
});
