import { textWidth } from '@mai/host';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LMStudioClient } from '@lmstudio/sdk';
import { runMai } from '../../../test/run-mai.js';
import { startSimulator } from '@mai/lmstudio-simulator';
import { tinyGguf, writeTinyModel } from '../../../test/tiny-gguf.js';

const GIB = 1024 ** 3;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'mai estimate '));
  writeTinyModel(path.join(folder, 'tiny.gguf'), { layers: 4, contextLength: 32_768 });
  writeFileSync(path.join(folder, 'tiny.gguf-header'), tinyGguf().header);
  writeFileSync(path.join(folder, 'cut.gguf'), tinyGguf().header.subarray(0, 500));
  // A terabyte of weights fits no machine that runs tests.
  writeFileSync(
    path.join(folder, 'huge.gguf'),
    tinyGguf({ layers: 1, width: 65_536, vocabulary: 8_388_608 }).header,
  );
  writeFileSync(path.join(folder, 'text.gguf'), 'This is no model.');
  writeTinyModel(path.join(folder, '.lmstudio', 'models', 'acme', 'Tiny-GGUF', 'Tiny-Q4_K_M.gguf'));
  const mlx = path.join(folder, '.lmstudio', 'models', 'mlx-community', 'Qwen3-4B-4bit');
  mkdirSync(mlx, { recursive: true });
  writeFileSync(path.join(mlx, 'config.json'), '{"model_type":"qwen3","num_hidden_layers":36}');
  writeFileSync(path.join(mlx, 'model-00001-of-00002.safetensors'), Buffer.alloc(2_000_000));
  writeFileSync(path.join(mlx, 'model-00002-of-00002.safetensors'), Buffer.alloc(1_000_000));
  writeMlxModel(path.join(folder, '.lmstudio', 'models', 'mlx-community', 'Tiny-Gemma-4bit'));
});

/** An MLX model of 4 layers. The last layer keeps every token, the others a window of 512. */
function writeMlxModel(model: string): void {
  mkdirSync(model, { recursive: true });
  const config = {
    model_type: 'gemma3_text',
    num_hidden_layers: 4,
    sliding_window_pattern: 4,
    hidden_size: 512,
    num_attention_heads: 4,
    num_key_value_heads: 1,
    head_dim: 256,
    sliding_window: 512,
    max_position_embeddings: 32_768,
  };
  writeFileSync(path.join(model, 'config.json'), JSON.stringify(config));
  const header = Buffer.from(JSON.stringify({ 'a.weight': { data_offsets: [0, 5_000_000] } }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const file = path.join(model, 'model.safetensors');
  writeFileSync(file, Buffer.concat([length, header, Buffer.alloc(5_000_000)]));
}
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const mai = (argv: readonly string[], stdin: Iterable<string> = [], columns?: number) =>
  // The estimates of these tests are LM Studio's, whether the embedded engine is installed or not.
  runMai([...argv, '--runtime', 'lmstudio'], {
    cwd: folder,
    homeFolder: folder,
    env: { NO_COLOR: '1' },
    stdin,
    ...(columns === undefined ? {} : { columns }),
  });

const ALL_FLAGS = [
  '--context',
  '2048',
  '--kv-k',
  'q8_0',
  '--kv-v',
  'q8_0',
  '--flash-attention',
  'on',
  '--batch',
  '256',
  '--ubatch',
  '128',
  '--parallel',
  '2',
  '--kv-unified',
  'off',
  '--swa-full',
  '--gpu-layers',
  '3',
  '--gpu-backend',
  'cuda',
  '--cpu',
  'avx2',
  '--json',
];

test('--json prints the fixed fields, with every setting filled in', async () => {
  const { exitCode, json } = await mai(['estimate', 'tiny.gguf', ...ALL_FLAGS]);
  expect(exitCode).toBe(0);
  const part = expect.any(Number);
  const device = {
    weightsBytes: part,
    kvCacheBytes: part,
    recurrentStateBytes: part,
    computeBytes: part,
    outputBytes: part,
    totalBytes: part,
  };
  expect(json()).toEqual({
    schemaVersion: 1,
    refusal: null,
    file: 'tiny.gguf',
    architecture: 'llama',
    loadConfig: {
      contextLengthTokens: 2048,
      kvCacheTypeK: 'q8_0',
      kvCacheTypeV: 'q8_0',
      flashAttention: true,
      batchTokens: 256,
      ubatchTokens: 128,
      parallelSequences: 2,
      kvUnified: false,
      swaFull: true,
      gpuLayers: 3,
      gpuBackend: 'cuda',
      cpu: 'avx2',
    },
    ram: { ...device, repackBytes: part, mappedBytes: part, anonymousBytes: part },
    gpus: [device],
    totalBytes: part,
    interval: { coverage: 0.9, lowBytes: part, highBytes: part },
    source: 'gguf-header',
    confidence: expect.stringMatching(/^(high|medium|low)$/),
    exactParts: expect.arrayContaining(['weights', 'kvCache']),
    partIntervals: expect.objectContaining({ kvCacheBytes: { lowBytes: part, highBytes: part } }),
    growth: {
      mostBytes: 8 * GIB,
      ramBytes: 8 * GIB,
      gpus: [],
      parts: [expect.objectContaining({ kind: 'prompt-cache', mostBytes: 8 * GIB, isKnown: true })],
    },
    profile: expect.objectContaining({ engine: 'lmstudio', settings: expect.any(Array) }),
  });
});

test('the parts add up to the total', async () => {
  const { json } = await mai(['estimate', 'tiny.gguf', '--json', '--cpu', 'avx2']);
  const { ram, gpus, totalBytes } = json() as {
    ram: Record<string, number>;
    gpus: unknown[];
    totalBytes: number;
  };
  const { weightsBytes, kvCacheBytes, recurrentStateBytes, computeBytes, outputBytes } = ram;
  const parts = [weightsBytes, kvCacheBytes, recurrentStateBytes, computeBytes, outputBytes];
  expect(ram['totalBytes']).toBe(parts.reduce<number>((sum, bytes) => sum + (bytes ?? 0), 0));
  expect(totalBytes).toBe((ram['totalBytes'] ?? 0) + (ram['repackBytes'] ?? 0));
  expect((ram['mappedBytes'] ?? 0) + (ram['anonymousBytes'] ?? 0)).toBe(totalBytes);
  expect(gpus).toEqual([]);
});

test('warns of a context beyond the maximum of the model, and leaves it out of the chart', async () => {
  const { out, err } = await mai(['estimate', 'tiny.gguf', '--context', '65536']);
  expect(err).toMatch(
    /The maximum context of tiny\.gguf is 32,768 tokens\. The estimate is for 65,536 tokens\./,
  );
  const [, chart = ''] = out.split('By context length');
  expect(chart).toContain('32,768');
  expect(chart).not.toContain('65,536');
});

test('prints the sum and a chart by context length within 80 columns', async () => {
  const { exitCode, out } = await mai(['estimate', 'tiny.gguf', '--context', '8192'], [], 80);
  expect(exitCode).toBe(0);
  expect(out).toMatch(/weights +[\d.]+ MiB +exact/);
  expect(out).toMatch(/KV cache +[\d.]+ MiB/);
  expect(out).toMatch(/By context length/);
  expect(out).toMatch(/▸ +8,192 .*█/);
  // The bar stands beside the figure that it shows.
  expect(out).toMatch(/ 32,768 .* [\d.]+ [MG]iB +█+ +[\d.]+\n/);
  expect(out).toMatch(/On this machine, loaded\n +✓ It fits as it is\.\n +RAM/);
  for (const line of out.split('\n')) expect(textWidth(line)).toBeLessThanOrEqual(80);
});

test('says how much memory a model lacks that does not fit', async () => {
  const { out } = await mai(['estimate', 'huge.gguf', '--context', '1048576']);
  expect(out).toMatch(/✗ It needs .* more RAM/);
});

test.each([2 ** 29, 2 ** 30])(
  'names the longest context that fits where %d tokens do not',
  async (context) => {
    const { out } = await mai(['estimate', 'tiny.gguf', '--context', String(context)]);
    const [, fits] = /~ It fits with ([\d,]+) tokens of context\s+instead of/.exec(out) ?? [];
    const tokens = Number(fits?.replaceAll(',', ''));
    expect(tokens % 256).toBe(0);
    // A search that only halves the context length cannot find this number.
    expect(tokens).toBeGreaterThan(100_000);
    const again = await mai(['estimate', 'tiny.gguf', '--context', String(Math.floor(tokens / 2))]);
    expect(again.out).toMatch(/It fits as it is/);
  },
);

test('gives a verdict for settings without a GPU', async () => {
  const { out } = await mai(['estimate', 'tiny.gguf', '--gpu-backend', 'none']);
  expect(out).toMatch(/It fits as it is/);
});

test('gives no verdict for settings that name a GPU which this machine lacks', async () => {
  const { out } = await mai(['estimate', 'tiny.gguf', '--gpu-backend', 'cuda']);
  expect(out).toMatch(/PART +RAM +GPU/);
  expect(out).not.toMatch(/On this machine/);
});

test('finds a downloaded model by its key', async () => {
  const { exitCode, json } = await mai(['estimate', 'tiny', '--json', '--url', '127.0.0.1:9']);
  expect(exitCode).toBe(0);
  expect(json()).toMatchObject({ file: 'tiny', architecture: 'llama' });
});

test.each([
  'tiny-gemma-4bit',
  path.join('.lmstudio', 'models', 'mlx-community', 'Tiny-Gemma-4bit'),
])('%s, an MLX model, is estimated from its config and headers', async (name) => {
  const off = ['--url', '127.0.0.1:9', '--context', '8192'];
  const { exitCode, err, json } = await mai(['estimate', name, '--json', ...off]);
  expect(exitCode).toBe(0);
  expect(err).toMatch(
    /^warning: .*No real load of an MLX model was compared with this estimate\.\n$/,
  );
  // A layer keeps 1 * 256 * 2 * 2 bytes for each token: 1024 * 8192 + 3 * 1024 * (512 - 1 + 2048).
  const cache = 8_388_608 + 7_861_248;
  expect(json()).toMatchObject({
    file: name,
    source: 'safetensors-header',
    confidence: 'medium',
    architecture: 'gemma3_text',
    exactParts: ['weights'],
    totalBytes: 5_000_000,
    ram: { weightsBytes: 5_000_000, mappedBytes: 0, anonymousBytes: 5_000_000 },
    loadConfig: { contextLengthTokens: 8192, parallelSequences: 4 },
  });
  expect(json()).toHaveProperty(
    'growth.parts',
    expect.arrayContaining([expect.objectContaining({ kind: 'kv-cache', mostBytes: 4 * cache })]),
  );
  const { out } = await mai(['estimate', name, ...off], [], 100);
  const text = out.replaceAll(/\s+/g, ' ');
  expect(text).toMatch(/weights [\d.]+ MiB exact/);
  // The peak of one sequence: 5,000,000 + the cache + 512 * 2 * 8192 + 4 * 2 * 2048 * 8192 = 163,856,192.
  expect(text).toMatch(/a prompt of 8,192 tokens, it takes 156 MiB/);
  expect(text).toMatch(/from the headers of its safetensors files, medium confidence/);
  expect(text).not.toMatch(/flash attention/);
  expect(text).toMatch(/It fits as it is/);
});

test('`mai models` has the same footprint for an MLX model', async () => {
  const { json } = await mai(['models', '--json', '--url', '127.0.0.1:9']);
  const footprint = expect.objectContaining({
    source: 'safetensors-header',
    ram: { mappedBytes: 0, anonymousBytes: 5_000_000 },
  });
  expect(json()).toHaveProperty(
    'models',
    expect.arrayContaining([expect.objectContaining({ modelKey: 'tiny-gemma-4bit', footprint })]),
  );
});

test.each(['qwen3-4b-4bit', path.join('.lmstudio', 'models', 'mlx-community', 'Qwen3-4B-4bit')])(
  '%s with damaged MLX files is estimated by its size, with low confidence',
  async (name) => {
    const { exitCode, err, json } = await mai(['estimate', name, '--json', '--url', '127.0.0.1:9']);
    expect(exitCode).toBe(0);
    expect(err).toMatch(
      /^warning: Only the size of .* is known, because model-00001-of-00002.safetensors cannot be read/m,
    );
    const weightsBytes = 3_000_000;
    expect(json()).toMatchObject({
      file: name,
      source: 'file-size',
      confidence: 'low',
      architecture: 'qwen3',
      exactParts: [],
      ram: { weightsBytes, mappedBytes: 0 },
      gpus: [],
      refusal: {
        code: expect.any(String),
        reason: expect.stringContaining('model-00001-of-00002'),
      },
    });
    const metal = ['estimate', name, '--json', '--url', '127.0.0.1:9', '--gpu-backend', 'metal'];
    expect((await mai(metal)).json()).toMatchObject({ loadConfig: { gpuLayers: 37 } });
    const { out } = await mai(['estimate', name, '--url', '127.0.0.1:9'], [], 80);
    expect(out).not.toMatch(/no GPU|weights|KV cache|By context length/);
    expect(out.replaceAll(/\s+/g, ' ')).toMatch(
      new RegExp(
        'with 8,192 tokens of context.* \\(from the file size, low confidence\\)\\. Only its size is known, so its parts are not shown\\.',
      ),
    );
    // A damaged model is not offered, so a key has no verdict.
    expect(/It fits as it is/.test(out)).toBe(name.includes('/'));
  },
);

test.each([0, 2 ** 31])(
  'estimates a file whose header states a training length of %d tokens',
  async (claimed) => {
    const { header, dataBytes } = tinyGguf({ contextLength: claimed });
    writeFileSync(path.join(folder, 'odd.gguf'), Buffer.concat([header, Buffer.alloc(dataBytes)]));
    const { exitCode, out } = await mai(['estimate', 'odd.gguf']);
    expect([exitCode, out]).toEqual([0, expect.stringContaining('8,192')]);
  },
);

test('estimates a header without weights, with a warning', async () => {
  const { exitCode, err, json } = await mai(['estimate', 'tiny.gguf-header', '--json']);
  expect(exitCode).toBe(0);
  expect(json()).toMatchObject({ refusal: { code: 'INCOMPLETE' }, source: 'gguf-header' });
  expect(err).toMatch(/^warning: .*tiny\.gguf-header is a header or an unfinished download/);
});

test.each([
  ['cut.gguf', 'CORRUPT', /at byte 478/],
  ['text.gguf', 'NOT_GGUF', /text\.gguf/],
  ['none.gguf', 'FILE_NOT_FOUND', /none\.gguf/],
])('%s: exit 7, %s', async (file, code, message) => {
  const { exitCode, err, json } = await mai(['estimate', file, '--json']);
  expect(exitCode).toBe(7);
  // With --json an error is one JSON object on stdout and nothing else.
  expect(err).toBe('');
  expect(json()).toMatchObject({ error: { code, message: expect.stringMatching(message) } });
  const plain = await mai(['estimate', file]);
  expect([plain.exitCode, plain.out]).toEqual([7, '']);
  expect(plain.err).toMatch(message);
  expect(plain.err).not.toMatch(/\n\s+at /);
});

test('a model key that is not downloaded ends with 5 and a suggestion', async () => {
  const { exitCode, err } = await mai(['estimate', 'tniy', '--url', '127.0.0.1:9']);
  expect(exitCode).toBe(5);
  expect(err).toMatch(/Did you mean tiny\?/);
});

test.each([
  [['estimate'], /needs KEY-OR-FILE/],
  [['estimate', 'tiny.gguf', '--gpu-layers', '4'], /need a GPU/],
  [['estimate', 'tiny.gguf', '--kv-v', 'q8_0', '--flash-attention', 'off'], /flash attention/],
  [['estimate', 'tiny.gguf', '--context', '8k'], /--context takes a whole number/],
  [['estimate', 'tiny.gguf', '--stdin'], /Leave tiny\.gguf out/],
  [['estimate', '--stdin', '--context', '4096'], /Leave the other options out/],
])('%j: exit 2', async (argv, message) => {
  const { exitCode, err } = await mai(argv);
  expect(exitCode).toBe(2);
  expect(err).toMatch(message);
});

describe('--stdin', () => {
  const answers = async (lines: Iterable<string>) => {
    const { exitCode, out } = await mai(['estimate', '--stdin'], lines);
    expect(exitCode).toBe(0);
    return out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  };

  test('answers line by line, with the same figures as the options', async () => {
    const { json } = await mai(['estimate', 'tiny.gguf', ...ALL_FLAGS]);
    const line = JSON.stringify({
      file: 'tiny.gguf',
      context: 2048,
      kvK: 'q8_0',
      kvV: 'q8_0',
      flashAttention: true,
      batch: 256,
      ubatch: 128,
      parallel: 2,
      kvUnified: false,
      swaFull: true,
      gpuLayers: 3,
      gpuBackend: 'cuda',
      cpu: 'avx2',
    });
    // In small chunks, as a pipe delivers them.
    expect(await answers([line.slice(0, 20), `${line.slice(20)}\n`])).toEqual([json()]);
  });

  test('looks again for a file that was missing before', async () => {
    const line = '{"file": "late.gguf"}\n';
    const lines = (function* () {
      yield line;
      copyFileSync(path.join(folder, 'tiny.gguf'), path.join(folder, 'late.gguf'));
      yield line;
    })();
    const [first, second] = await answers(lines);
    expect(first).toMatchObject({ error: { code: 'FILE_NOT_FOUND' } });
    expect(second).toMatchObject({ architecture: 'llama' });
  });

  test('warns once of a header without weights', async () => {
    const line = '{"file": "tiny.gguf-header"}\n';
    const { exitCode, err, out } = await mai(['estimate', '--stdin'], [line, line]);
    expect(exitCode).toBe(0);
    expect(JSON.parse(out.split('\n')[0] ?? '')).toMatchObject({ refusal: { code: 'INCOMPLETE' } });
    expect(err.match(/is a header or an unfinished download/g)).toHaveLength(1);
  });

  test('a malformed line is answered with its error, and the next lines are answered', async () => {
    const replies = await answers([
      '{"file": "none.gguf"}\n',
      'not json\n\n',
      '{"file": "tiny.gguf", "contxt": 5}\n',
      '{"file": "tiny.gguf", "context": "5"}\n',
      '{"file": "tiny.gguf", "kvK": "q9"}\n',
      '{"file": "tiny.gguf", "gpuLayers": 3}\n',
      '{"file": "tiny.gguf", "context": null}',
    ]);
    expect(replies.map(({ file, error }) => [file, (error as { code: string })?.code])).toEqual([
      ['none.gguf', 'FILE_NOT_FOUND'],
      [null, 'USAGE'],
      ['tiny.gguf', 'USAGE'],
      ['tiny.gguf', 'USAGE'],
      ['tiny.gguf', 'USAGE'],
      ['tiny.gguf', 'USAGE'],
      ['tiny.gguf', undefined],
    ]);
    expect(replies[2]).toMatchObject({
      schemaVersion: 1,
      error: { message: 'There is no field "contxt". Did you mean context?' },
    });
  });
});

test('refuses a cache type whose block size does not divide the head size of a model', async () => {
  const heads = path.join(folder, 'heads-of-80.gguf');
  writeFileSync(heads, tinyGguf({ width: 320 }).header);
  const { exitCode, err } = await mai([
    'estimate',
    heads,
    '--kv-k',
    'q8_0',
    '--flash-attention',
    'on',
  ]);
  expect(exitCode).toBe(2);
  expect(err).toMatch(/refuses keys as q8_0 here: the model has heads of 80 values/);
  const line = JSON.stringify({ file: heads, kvK: 'q8_0', flashAttention: true });
  const { json } = await mai(['estimate', '--stdin'], [line]);
  expect(json()).toMatchObject({ file: heads, error: { code: 'USAGE' } });
});

test("for a downloaded model, shows LM Studio's estimate, too, and warns where the two differ", async () => {
  const modelPath = 'acme/Tiny-GGUF/Tiny-Q4_K_M.gguf';
  const world = (sizeBytes: number) => ({
    machine: { gpus: [] },
    models: [{ modelKey: 'acme/tiny', path: modelPath, sizeBytes }],
  });
  const said = async (sizeBytes: number, ...more: string[]) => {
    await using simulator = await startSimulator({ world: world(sizeBytes) });
    return (await mai(['estimate', 'acme/tiny', '--url', simulator.httpUrl, ...more])).out;
  };
  expect(await said(4 * 1024 ** 3)).toMatch(
    /LM Studio's own estimate.* is [\d.]+ GiB: [\d.]+ times Mai's\s+estimate/,
  );
  expect((await mai(['estimate', 'tiny.gguf'])).out).not.toMatch(/LM Studio's own/);
  const told = JSON.parse(await said(4 * 1024 ** 3, '--json')) as EstimateAnswer;
  expect(told.lmStudio?.totalBytes).toBeGreaterThan(4 * 1024 ** 3);
  expect(told.lmStudio?.disagreementRatio).toBeGreaterThan(100);
  expect(told).toMatchObject({ source: 'gguf-header', corrected: null });
  expect(told.speed?.decodeTokensPerSecond.expected).toBeGreaterThan(0);
});

test('includes the vision projector, whether LM Studio runs or not', async () => {
  const modelPath = 'acme/Seer-GGUF/Seer-Q4_K_M.gguf';
  const models = path.join(folder, '.lmstudio', 'models');
  writeTinyModel(path.join(models, modelPath));
  const projector = path.join(models, 'acme/Seer-GGUF/mmproj-model-f16.gguf');
  writeTinyModel(projector, { vocabulary: 100_000 });
  const { ram } = (await mai(['estimate', projector, '--json'])).json() as unknown as WithRam;
  const world = {
    machine: { gpus: [] },
    models: [{ modelKey: 'seer', path: modelPath, vision: true, sizeBytes: 1_000_000 }],
  };
  await using simulator = await startSimulator({ world });
  for (const url of [simulator.httpUrl, '127.0.0.1:9']) {
    const estimate = await mai(['estimate', 'seer', '--json', '--url', url]);
    expect(estimate.json()).toMatchObject({ ram: { visionProjectorBytes: ram.weightsBytes } });
    const all = (await mai(['models', '--json', '--url', url])).json() as unknown as ModelList;
    const seer = all.models.find(({ modelKey }) => modelKey === 'seer');
    expect(seer?.footprint.parts.ram.visionProjectorBytes).toBe(ram.weightsBytes);
  }
  expect((await mai(['estimate', 'seer', '--url', '127.0.0.1:9'])).out).toMatch(/vision projector/);
});

interface WithRam {
  readonly ram: { readonly weightsBytes: number; readonly visionProjectorBytes: number };
}

interface ModelList {
  readonly models: readonly {
    readonly modelKey: string;
    readonly footprint: { readonly parts: WithRam };
  }[];
}

interface EstimateAnswer {
  readonly ram: object;
  readonly totalBytes: number;
  readonly interval: object;
  readonly source: string;
  readonly profile: {
    readonly engine: string;
    readonly settings: readonly {
      readonly setting: string;
      readonly source: string;
      readonly isKnown: boolean;
      readonly alternatives: readonly unknown[];
    }[];
  };
  readonly lmStudio: { readonly totalBytes: number; readonly disagreementRatio: number } | null;
  readonly speed: Speed | null;
}

interface Speed {
  readonly decodeTokensPerSecond: { readonly expected: number };
}

test('has the same total, footprint, speed and verdict as `mai models`, also if only the size is known', async () => {
  const simulator = await startSimulator({ speed: 1000 });
  try {
    const models = (await mai(['models', '--json', '--url', simulator.baseUrl])).json() as {
      models: readonly { modelKey: string; footprint: { source: string }; speed: unknown }[];
    };
    expect(models.models.length).toBeGreaterThan(3);
    for (const { modelKey, footprint, speed } of models.models) {
      const asked = ['estimate', modelKey, '--url', simulator.baseUrl];
      expect((await mai([...asked, '--json'])).json()).toMatchObject({
        footprint,
        speed,
        // Of the engine that the runtime has selected.
        profile: { engine: 'lmstudio', runtimeVersion: '2.28.2', backend: 'cuda' },
        partIntervals: { weightsBytes: { lowBytes: expect.any(Number) } },
      });
    }
    const { out } = await mai(
      ['estimate', 'openai/gpt-oss-20b', '--url', simulator.baseUrl],
      [],
      200,
    );
    const { out: list } = await mai(['models', '--url', simulator.baseUrl], [], 200);
    const [, takes] =
      /openai\/gpt-oss-20b +large +[\d.]+ GiB +[\d,]+ +([\d.]+ GiB)/.exec(list) ?? [];
    expect(takes).toBeDefined();
    expect(out).toContain(`Takes ${takes}`);
    // Only with this trade-off does the model fit, so this is its speed here.
    const loadable = models.models.find(({ modelKey }) => modelKey === 'openai/gpt-oss-20b');
    const { decodeTokensPerSecond } = loadable?.speed as Speed;
    expect(out.replace(/\s+/g, ' ')).toContain(
      `With 50 % of the expert layers on the CPU (slower), it generates about ${Math.round(decodeTokensPerSecond.expected)} tokens a second`,
    );
  } finally {
    await simulator.stop();
  }
});

describe('the engine', () => {
  const fromProfile = (answer: unknown) => (answer as EstimateAnswer).profile.settings;

  test.each([
    ['llama.cpp', { engine: 'llama.cpp', runtimeVersion: null, factsVersion: 'v0.5.0' }, 512, 0],
    ['lmstudio', { engine: 'lmstudio', runtimeVersion: null, factsVersion: '2.38.0' }, 2048, 8],
    ['lmstudio@2.13.0', { engine: 'lmstudio', runtimeVersion: '2.13.0' }, 512, 8],
    ['lmstudio@1.44.0', { engine: 'lmstudio', runtimeVersion: '1.44.0' }, 512, 0],
  ])(
    '%s: names its profile, and each setting from the profile',
    async (name, profile, batch, gib) => {
      const { json } = await mai(['estimate', 'tiny.gguf', '--json', '--engine', name]);
      expect(json()).toMatchObject({
        profile,
        loadConfig: { batchTokens: batch },
        growth: { mostBytes: gib * GIB },
      });
      for (const setting of fromProfile(json())) {
        expect(setting.source).not.toBe('');
        expect(setting.isKnown).toBe(setting.alternatives.length === 0);
      }
    },
  );

  test('options replace the defaults of the engine, and are not listed as its defaults', async () => {
    const argv = ['estimate', 'tiny.gguf', '--json', '--engine', 'lmstudio', '--parallel', '2'];
    const { json } = await mai([...argv, '--gpu-backend', 'vulkan']);
    expect(json()).toMatchObject({ loadConfig: { parallelSequences: 2, gpuBackend: 'vulkan' } });
    expect(fromProfile(json()).map(({ setting }) => setting)).not.toContain('parallelSequences');
  });

  test('--stdin takes an engine on each line', async () => {
    const lines = ['llama.cpp', 'lmstudio@2.28.2'].map((engine) =>
      JSON.stringify({ file: 'tiny.gguf', engine }),
    );
    const { out } = await mai(
      ['estimate', '--stdin'],
      lines.map((line) => `${line}\n`),
    );
    const answers = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as EstimateAnswer);
    expect(answers.map(({ profile }) => profile.engine)).toEqual(['llama.cpp', 'lmstudio']);
  });

  test('refuses the version of the app, and names the known versions of the runtime', async () => {
    const { exitCode, err } = await mai(['estimate', 'tiny.gguf', '--engine', 'lmstudio@0.4.12']);
    expect(exitCode).toBe(2);
    expect(err).toContain("0.4.12 is a version of LM Studio's app");
    expect(err).toContain('lmstudio@2.13.0');
  });

  test('a version without facts of its own names the versions that its facts are from', async () => {
    const { out } = await mai(['estimate', 'tiny.gguf', '--engine', 'lmstudio@2.30.0'], [], 200);
    expect(out).toContain('runtime 2.30.0 (with what is known of 2.28.2 to 2.31.2)');
  });

  test.each(['ollama', 'lmstudio@newest', 'llama.cpp@2.28.2'])('refuses %s', async (name) => {
    const { exitCode, err } = await mai(['estimate', 'tiny.gguf', '--engine', name]);
    expect(exitCode).toBe(2);
    expect(err).toMatch(/lmstudio@2\.28\.2|2\.28\.2|b9849/);
  });

  test('the text names the engine in one line, and the ranges of the parts that are not exact', async () => {
    const { out } = await mai(['estimate', 'tiny.gguf', '--engine', 'lmstudio@2.28.2'], [], 100);
    expect(out).toMatch(
      /^ +defaults of LM Studio, runtime 2\.28\.2; not known for this\s+engine: flash attention/m,
    );
    expect(out).toMatch(/compute buffers +[\d.]+ MiB +[\d.]+ MiB to [\d.]+ MiB/);
    expect(out).toMatch(/may grow by up to 8\.0 GiB of RAM: prompt cache up to 8\.0 GiB/);
  });

  test('a hub model has the same estimate whether LM Studio runs or not', async () => {
    const home = mkdtempSync(path.join(tmpdir(), 'mai hub '));
    const file = 'acme/Hub-GGUF/Hub-Q8_0.gguf';
    writeTinyModel(path.join(home, '.lmstudio', 'models', file));
    const world = {
      machine: { gpus: [] },
      models: [
        {
          modelKey: 'acme/hub',
          maxContextLength: 8192,
          sizeBytes: 3_700_000,
          variants: [
            {
              name: 'q8_0',
              sizeBytes: 3_700_000,
              path: file,
              quantization: { name: 'Q8_0', bits: 8 },
            },
          ],
        },
      ],
    };
    await using simulator = await startSimulator({ world });
    const client = new LMStudioClient({ baseUrl: simulator.baseUrl });
    const selected = await client.runtime.engine.getSelections();
    await client[Symbol.asyncDispose]();
    const preferences = [...selected].map(([format, { name, version }]) => ({
      model_format: format,
      name,
      version,
    }));
    const internal = path.join(home, '.lmstudio', '.internal');
    mkdirSync(internal, { recursive: true });
    writeFileSync(path.join(internal, 'backend-preferences-v1.json'), JSON.stringify(preferences));
    const answerOf = async (url: string, key: string) => {
      const run = await runMai(['estimate', key, '--json', '--url', url], {
        cwd: home,
        homeFolder: home,
      });
      const { ram, totalBytes, interval, profile, source } =
        run.json() as unknown as EstimateAnswer;
      return { ram, totalBytes, interval, profile, source };
    };
    const { models } = (
      await runMai(['models', '--json', '--url', '127.0.0.1:9'], { cwd: home, homeFolder: home })
    ).json() as { models: readonly { modelKey: string }[] };
    const off = await answerOf('127.0.0.1:9', models[0]?.modelKey ?? '');
    const on = await answerOf(simulator.httpUrl, 'acme/hub');
    expect(on.source).toBe('gguf-header');
    expect(on).toEqual(off);
    rmSync(home, { recursive: true });
  });
});
