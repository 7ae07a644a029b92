import { startSimulator, type Simulator } from '@mai/lmstudio-simulator';
import { DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';

import { caught, KEY, requireCleanExit, withClient } from '../../test/load-harness.js';
import { connect, isLMStudioError, type LMStudioClient } from '../index.js';

requireCleanExit();

/** Asks until LM Studio answers. The only error until then is `UNREACHABLE`. */
async function comesBack(client: LMStudioClient): Promise<void> {
  for (;;) {
    try {
      await client.version();
      return;
    } catch (error) {
      expect(error).toMatchObject({ code: 'UNREACHABLE' });
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

test('does not send a load that the guardrails refuse', () =>
  withClient(
    async (client, simulator) => {
      const error = await caught(client.load({ modelKey: KEY }));
      expect(error).toMatchObject({ code: 'LOAD_REFUSED', modelKey: KEY });
      expect(String(error)).toContain('guardrails refuse');
      expect(simulator.requests.map(({ endpoint }) => endpoint)).not.toContain('loadModel');
      expect(simulator.residents()).toEqual([]);
    },
    { world: { guardrails: { mode: 'custom', customThresholdBytes: 1 } } },
  ));

test('reports that the guardrails refuse a load whose estimate they had passed', () =>
  withClient(async (client, simulator) => {
    simulator.fault.refuseLoad();
    const load = client.load({ modelKey: KEY, checkGuardrails: false });
    expect(await caught(load)).toMatchObject({ code: 'LOAD_REFUSED' });
    expect(simulator.residents()).toEqual([]);
  }));

test.each([
  ['crashes half-way', (simulator: Simulator) => simulator.fault.crashLoad()],
  ['runs out of memory late', (simulator: Simulator) => simulator.fault.outOfMemory()],
])('the error has LM Studio’s message where the engine %s', (_, inject) =>
  withClient(async (client, simulator) => {
    inject(simulator);
    const error = await caught(client.load({ modelKey: KEY }));
    expect(isLMStudioError(error) && ['LOAD_FAILED', 'LOAD_REFUSED'].includes(error.code)).toBe(
      true,
    );
    expect(error).toMatchObject({ serverMessage: expect.stringMatching(/\w/), uncertain: false });
    // Whole sentences, without the SDK's headings.
    expect(String(error)).not.toContain('CAUSE');
    expect(String(error)).toMatch(/[.!?] Try a shorter context/);
    expect(simulator.residents()).toEqual([]);
  }),
);

test('the error says whether the engine ran out of memory or crashed', () =>
  withClient(async (client, simulator) => {
    simulator.fault.outOfMemory({ pool: 'vram', times: 1 });
    expect(await caught(client.load({ modelKey: KEY }))).toMatchObject({
      code: 'LOAD_FAILED',
      outOfMemory: true,
    });
    simulator.fault.crashLoad();
    expect(await caught(client.load({ modelKey: KEY }))).toMatchObject({
      code: 'LOAD_FAILED',
      outOfMemory: false,
    });
  }));

// Texts of ml-explore/mlx, ggml-org/llama.cpp #25286, lmstudio-ai/lmstudio-bug-tracker #2240, Comfy-Org/ComfyUI #8065
// and madroidmaq/mlx-omni-server #59. Issue #2295 asks LM Studio to tell the two causes apart: one needs a smaller load, the
// other another engine.
test.each([
  ['[malloc_or_wait] Unable to allocate 134217728 bytes.'],
  ['level_zero backend failed with error: 39 [UR_RESULT_ERROR_OUT_OF_DEVICE_MEMORY]'],
  [
    '[metal::malloc] Attempting to allocate 48736917632 bytes which is greater than the maximum allowed buffer size of 30150672384 bytes.',
  ],
  ['The paging file is too small for this operation to complete. (os error 1455)'],
  ['页面文件太小，无法完成操作。 (os error 1455)'],
  ['mmap failed: Cannot allocate memory'],
  [
    '[METAL] Command buffer execution failed: Insufficient Memory (00000008:kIOGPUCommandBufferCallbackErrorOutOfMemory)',
  ],
])('the engine ran out of memory: %s', (text) =>
  withClient(async (client, simulator) => {
    simulator.fault.refuseLoad({ text });
    expect(await caught(client.load({ modelKey: KEY, checkGuardrails: false }))).toMatchObject({
      code: 'LOAD_FAILED',
      outOfMemory: true,
    });
  }),
);

// Texts of lmstudio-bug-tracker #1268, #890, #978, #77, ggml-org/llama.cpp #27349, mozilla-ai/llamafile #219, and of mlx-lm in
// lmstudio-bug-tracker #1803 and lmstudio-ai/lms #552.
test.each([
  ["error loading model: error loading model architecture: unknown model architecture: 'mistral3'"],
  ["error loading model: error loading model architecture: unknown model architecture: ''"],
  [
    "Failed to load model into embedding engine. Message: Embedding engine exception: Failed to load model. Internal error: error loading model: error loading model architecture: unknown model architecture: 'gemma-embedding'",
  ],
  ["llama.cpp error: 'done_getting_tensors: wrong number of tensors; expected 292, got 291'"],
  ["error loading model: create_tensor: tensor 'blk.0.attn_qkv.weight' not found"],
  ['ValueError: Model type qwen3_next not supported.'],
  [
    'Error when loading model: ValueError: Missing 1 parameters: \nembed_vision.embedding_projection.biases.',
  ],
  ["Error when loading model: KeyError: 'model_type'"],
])('the engine cannot read the file, so the advice is another engine or file: %s', (text) =>
  withClient(async (client, simulator) => {
    simulator.fault.refuseLoad({ text });
    const error = await caught(client.load({ modelKey: KEY, checkGuardrails: false }));
    expect(error).toMatchObject({ code: 'LOAD_FAILED', fileRefused: true, outOfMemory: false });
    expect(String(error)).toContain('Update the engine in LM Studio');
  }),
);

test('a missing engine is no refusal of the model, because every model of this format would fail', () =>
  withClient(
    async (client) => {
      const error = await caught(client.load({ modelKey: 'mlx', checkGuardrails: false }));
      expect(error).toMatchObject({ code: 'LOAD_FAILED', fileRefused: false });
      expect(String(error)).toContain(
        "No LM Runtime found for model format 'mlx'! Install or select an engine",
      );
    },
    { world: { models: [{ modelKey: 'mlx', format: 'safetensors', sizeBytes: 1e9 }] } },
  ));

// lmstudio-bug-tracker #1390, and the text of older engines in ollama/ollama #15043.
test.each([
  'Failed to initialize the context: quantized V cache was requested, but this requires Flash Attention',
  'llama_init_from_model: V cache quantization requires flash_attn',
])(
  'settings that do not go together are named as the cause, not the size of the load: %s',
  (text) =>
    withClient(async (client, simulator) => {
      simulator.fault.refuseLoad({ text });
      const error = await caught(client.load({ modelKey: KEY, checkGuardrails: false }));
      expect(error).toMatchObject({ code: 'LOAD_REFUSED', fileRefused: false });
      expect(String(error)).toMatch(/ Check the load settings, and the engine in LM Studio/);
    }),
);

test.each([
  // lmstudio-bug-tracker #1288, #1584, #1095 and #1646
  [
    "Attempt to pull a snapshot of system resources failed. Error: 'Utility process is not defined.'",
    / Restart LM Studio\./,
  ],
  [
    "Attempt to pull a snapshot of system resources failed. Error: 'System resources observer shutdown requested.'",
    / Restart LM Studio\./,
  ],
  [
    "Attempt to pull a snapshot of system resources failed. Error: 'Cannot read properties of undefined (reading 'pullReport')'",
    / Restart LM Studio\./,
  ],
  ['Invalid load message', / Restart LM Studio\./],
  // lmstudio-bug-tracker #2190 and #2231
  [
    'Engine protocol runtime llama-server for mmVGcSTlX6QYmWmVvCHJxgvD exited before becoming healthy. exitCode=1, signal=null',
    / LM Studio's server log has the cause\./,
  ],
  // lmstudio-bug-tracker #1658 and #1925
  [
    'Failed to load LLM engine from path: C:\\Users\\a\\.lmstudio\\extensions\\backends\\llama.cpp-win-x86_64-nvidia-cuda12-avx2-2.7.1\\llm_engine_cuda12.node. The specified module could not be found.',
    / Install or select an engine for this format/,
  ],
  ["No LM Runtime found for model format 'gguf'!", / Install or select an engine for this format/],
])('a fault of LM Studio itself is no reason for a smaller load: %s', (text, advice) =>
  withClient(async (client, simulator) => {
    simulator.fault.refuseLoad({ text });
    const error = await caught(client.load({ modelKey: KEY, checkGuardrails: false }));
    expect(error).toMatchObject({ code: 'LOAD_FAILED', fileRefused: false, outOfMemory: false });
    expect(String(error)).toMatch(advice);
  }),
);

test('reports a context that is smaller than requested', () =>
  withClient(async (client, simulator) => {
    simulator.fault.shrinkContext({ toTokens: 1024 });
    const loadConfig = { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: 4096 };
    const { verified, instance } = await client.load({ modelKey: KEY, loadConfig });
    expect(verified).toEqual([{ field: 'contextLengthTokens', asked: 4096, got: 1024 }]);
    expect(instance.contextLengthTokens).toBe(1024);
  }));

test.each(['continue', 'cancel'] as const)(
  'a connection that breaks during a load leaves nothing loaded, where LM Studio would %s the load',
  (loadAfterDisconnect) =>
    withClient(
      async (client, simulator) => {
        simulator.fault.dropConnection({ atProgress: 0.3, times: 1 });
        const error = await caught(client.load({ modelKey: KEY }));
        expect(error).toMatchObject({ code: 'UNREACHABLE' });
        expect(simulator.residents()).toEqual([]);
        // A later read must not make the SDK replay the load.
        await client.listResidents();
        await new Promise((resolve) => setTimeout(resolve, 300));
        expect(simulator.residents()).toEqual([]);
        expect(await client.load({ modelKey: KEY })).toMatchObject({ verified: [] });
        expect(simulator.residents()).toHaveLength(1);
      },
      { world: { loadAfterDisconnect } },
    ),
);

test('an authenticator that never accepts an identifier again accepts each new connection', () =>
  withClient(
    async (client, simulator) => {
      simulator.fault.dropConnection({ atProgress: 0.3, times: 1 });
      expect(await caught(client.load({ modelKey: KEY }))).toMatchObject({ code: 'UNREACHABLE' });
      simulator.dropConnections();
      expect(await client.listResidents()).toEqual([]);
      expect((await client.load({ modelKey: KEY })).reused).toBe(false);
    },
    { world: { authenticator: 'first-come', loadAfterDisconnect: 'continue' } },
  ));

test('a cancelled load whose end LM Studio confirms is not listed as unconfirmed', () =>
  withClient(async (client, simulator) => {
    simulator.fault.stallLoad();
    const cancel = new AbortController();
    const load = caught(client.load({ modelKey: KEY, signal: cancel.signal }));
    await simulator.seen('loadModel');
    const reason = new Error('enough');
    cancel.abort(reason);
    expect(await load).toBe(reason);
    expect(client.unconfirmedLoads()).toEqual([]);
    expect(simulator.residents()).toEqual([]);
  }));

test('the client works again after LM Studio restarts during a load', () =>
  withClient(async (client, simulator) => {
    simulator.fault.restart({ atProgress: 0.4, downMs: 50, times: 1 });
    expect(await caught(client.load({ modelKey: KEY }))).toMatchObject({ code: 'UNREACHABLE' });
    await comesBack(client);
    expect(simulator.residents()).toEqual([]);
    await client.load({ modelKey: KEY });
    expect(simulator.residents().map(({ modelKey }) => modelKey)).toEqual([KEY]);
  }));

test('the end of a load is uncertain where only the API server stops, and the app goes on', () =>
  withClient(
    async (client, simulator) => {
      // LM Studio's app answers on its own ports without the API server.
      await using _app = await startSimulator({ port: 39414 });
      const load = caught(client.load({ modelKey: KEY }));
      await simulator.seen('loadModel');
      await simulator.stop();
      expect(await load).toMatchObject({ code: 'UNREACHABLE', uncertain: true });
      expect(client.unconfirmedLoads()).toHaveLength(1);
    },
    { speed: 1, world: { machine: { loadBytesPerSecond: 1e8 } } },
  ));

test('the client works again after restarts between its calls', () =>
  withClient(async (client, simulator) => {
    await client.load({ modelKey: KEY });
    await simulator.restart();
    expect(await client.listResidents()).toEqual([]);
    await simulator.restart();
    expect((await client.listDownloaded()).models).not.toEqual([]);
    simulator.dropConnections();
    expect((await client.load({ modelKey: KEY })).reused).toBe(false);
  }));

test('a load requested while LM Studio is off is not carried out later', async () => {
  const simulator = await startSimulator({ speed: 50 });
  await using client = await connect({ baseUrl: simulator.baseUrl });
  await client.listResidents();
  await simulator.stop();
  for (let attempt = 0; attempt < 2; attempt++) {
    expect(await caught(client.load({ modelKey: KEY }))).toMatchObject({ code: 'UNREACHABLE' });
    expect(await caught(client.unload(KEY))).toMatchObject({ code: 'UNREACHABLE' });
  }
  await using again = await startSimulator({ speed: 50, port: simulator.port });
  await client.listResidents();
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(again.residents()).toEqual([]);
  expect(again.requests.map(({ endpoint }) => endpoint)).not.toContain('loadModel');
});

test('refuses to load an LLM as an embedding model', () =>
  withClient(async (client, simulator) => {
    const load = client.load({ modelKey: KEY, kind: 'embedding', checkGuardrails: false });
    expect(await caught(load)).toMatchObject({ code: 'LOAD_REFUSED' });
    expect(simulator.residents()).toEqual([]);
  }));

test('a read that times out does not end a running load', () =>
  withClient(async (client, simulator) => {
    simulator.fault.slowFrames({ delayMs: 10 });
    const load = client.load({ modelKey: KEY });
    await simulator.seen('loadModel');
    simulator.fault.hang({ endpoint: 'version', times: 1 });
    expect(await caught(client.version({ timeoutMs: 30 }))).toMatchObject({ code: 'TIMED_OUT' });
    expect((await load).verified).toEqual([]);
  }));

test('an unload whose answer is lost is checked against the list of residents', () =>
  withClient(async (client, simulator) => {
    await client.load({ modelKey: KEY });
    simulator.fault.hang({ endpoint: 'unloadModel', times: 1 });
    const error = await caught(client.unload(KEY, { timeoutMs: 300 }));
    expect(error).toMatchObject({ code: 'TIMED_OUT', uncertain: true });
    expect(simulator.residents()).toHaveLength(1);
    simulator.fault.invalidResult({ endpoint: 'unloadModel', times: 1 });
    await client.unload(KEY);
    expect(simulator.residents()).toEqual([]);
  }));

test('a cancelled generation also ends in LM Studio', () =>
  withClient(
    async (client) => {
      await client.load({ modelKey: KEY });
      const cancel = new AbortController();
      const reason = new Error('enough said');
      const generation = caught(
        client.generate({
          instanceIdentifier: KEY,
          prompt: 'hi',
          maxTokens: 5000,
          signal: cancel.signal,
          onText: () => cancel.abort(reason),
        }),
      );
      expect(await generation).toBe(reason);
      expect((await client.listResidents())[0]?.activity).toBe('idle');
    },
    { speed: 3 },
  ));
