import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Simulator } from '@mai/lmstudio-simulator';
import { startSimulator } from '@mai/lmstudio-simulator';
import { runMai } from '../../../test/run-mai.js';
import { Interrupted } from '../../io.js';

const FAST = 50;
let simulator: Simulator;
let homeFolder: string;

beforeEach(async () => {
  homeFolder = await mkdtemp(path.join(tmpdir(), 'mai load '));
  simulator = await startSimulator({ speed: FAST });
});
afterEach(async () => {
  await simulator.stop();
  await rm(homeFolder, { recursive: true, force: true });
});

const mai = (...argv: string[]) => runMai([...argv, '--url', simulator.httpUrl], { homeFolder });
const loaded = () => simulator.residents().map(({ instanceIdentifier }) => instanceIdentifier);

describe('mai load', () => {
  test('loads with progress and prints the result', async () => {
    const { exitCode, out, err } = await mai('load', 'qwen/qwen3-4b', '--context', '8192');
    expect(err).toMatch(/^Loading qwen\/qwen3-4b \(2\.3 GiB\)\n/);
    expect(out).toMatch(/^Loaded qwen\/qwen3-4b in .*, 8,192 tokens of context\.\n$/);
    expect(exitCode).toBe(0);
    expect(simulator.residents()).toMatchObject([
      { modelKey: 'qwen/qwen3-4b', contextLengthTokens: 8192, ttlMs: null },
    ]);
  });

  test('takes an identifier and a TTL, and answers in JSON', async () => {
    const result = await mai(
      'load',
      'qwen/qwen3-1.7b',
      '--identifier',
      'mine',
      '--ttl',
      '10m',
      '--json',
    );
    expect(result.json()).toMatchObject({
      schemaVersion: 1,
      dryRun: false,
      reused: false,
      mismatches: [],
      instance: { instanceIdentifier: 'mine', modelKey: 'qwen/qwen3-1.7b', ttlMs: 600_000 },
    });
    expect(loaded()).toEqual(['mine']);
  });

  test('tries the next key where a load fails, and says why', async () => {
    simulator.fault.crashLoad({ modelKey: 'qwen/qwen3-8b' });
    const { exitCode, out, err } = await mai('load', 'qwen/qwen3-8b', 'qwen/qwen3-1.7b');
    expect(exitCode).toBe(0);
    expect(err).toMatch(/warning: .*qwen\/qwen3-8b/);
    expect(out).toMatch(/^Loaded qwen\/qwen3-1\.7b /);
    expect(loaded()).toEqual(['mai/qwen/qwen3-1.7b']);
  });

  test("--dry-run prints LM Studio's estimate and loads nothing", async () => {
    const { exitCode, out } = await mai('load', 'qwen/qwen3-4b', 'qwen/qwen3-1.7b', '--dry-run');
    expect(exitCode).toBe(0);
    expect(out).toMatch(
      /^Would load qwen\/qwen3-4b: LM Studio expects .* GiB and would load it\.\n/,
    );
    expect(out).toMatch(/If that fails, would load qwen\/qwen3-1\.7b: /);
    expect(loaded()).toEqual([]);
  });

  test('an unknown key is refused with a suggestion', async () => {
    const { exitCode, out, err } = await mai('load', 'qwen/qwen3-4');
    expect(exitCode).toBe(5);
    expect(err).toMatch(/^error: .*qwen\/qwen3-4.*\n$/s);
    expect(err).toContain('qwen/qwen3-4b');
    expect(out).toBe('');
  });

  test('a failed load ends with 5 and leaves nothing loaded', async () => {
    simulator.fault.crashLoad();
    const { exitCode, err } = await mai('load', 'qwen/qwen3-4b');
    expect(exitCode).toBe(5);
    expect(err).toMatch(/error: .*qwen\/qwen3-4b/);
    expect(err).not.toMatch(/\n\s+at /);
    expect(loaded()).toEqual([]);
  });

  test('a load that takes longer than --timeout ends with 5 and leaves nothing loaded', async () => {
    simulator.fault.stallLoad();
    const { exitCode } = await mai('load', 'qwen/qwen3-4b', '--timeout', '400ms');
    expect(exitCode).toBe(5);
    expect(loaded()).toEqual([]);
  });

  test('Ctrl-C during a load ends with 130 and leaves nothing loaded', async () => {
    simulator.fault.stallLoad({ atProgress: 0.5 });
    const controller = new AbortController();
    const run = runMai(['load', 'qwen/qwen3-4b', '--url', simulator.httpUrl], {
      signal: controller.signal,
      homeFolder,
    });
    await simulator.seen('loadModel');
    controller.abort(new Interrupted(130));
    const { exitCode, err } = await run;
    expect(exitCode).toBe(130);
    expect(err).toMatch(/Cancelled\.\n$/);
    expect(loaded()).toEqual([]);
  });

  test.each([
    ['at once', 0, undefined],
    ['not in time', 60_000, true],
  ])(
    'Ctrl-C with --json prints an error, which is uncertain where LM Studio confirms %s',
    async (_, delayMs, uncertain) => {
      simulator.fault.stallLoad({ atProgress: 0.5 });
      const controller = new AbortController();
      const run = runMai(['load', 'qwen/qwen3-4b', '--json', '--url', simulator.httpUrl], {
        signal: controller.signal,
        homeFolder,
      });
      await simulator.seen('loadModel');
      if (delayMs > 0) simulator.fault.slowFrames({ delayMs });
      controller.abort(new Interrupted(130));
      const { exitCode, json, err } = await run;
      simulator.fault.clear();
      expect(exitCode).toBe(130);
      const error = { code: 'CANCELLED', message: 'Cancelled.' };
      expect(json()).toEqual({
        schemaVersion: 1,
        error: uncertain === true ? { ...error, uncertain } : error,
      });
      expect(err.includes('It may still appear as mai/qwen/qwen3-4b.')).toBe(uncertain === true);
    },
  );

  test('warns of settings in which the instance differs from the request', async () => {
    simulator.fault.shrinkContext({ toTokens: 4096 });
    const { err } = await mai('load', 'qwen/qwen3-4b', '--context', '16384');
    expect(err).toContain('the context length in tokens is 4,096, not 16,384 as asked.');
  });

  test('loads with the configured settings unless an option sets another', async () => {
    const file = path.join(homeFolder, 'models.yaml');
    await writeFile(
      file,
      JSON.stringify({
        version: 1,
        models: [
          {
            key: 'qwen/qwen3-4b',
            context_window: 6144,
            load: { flash_attention: true, kv_cache: 'q8_0' },
          },
        ],
      }),
    );
    const load = async (...argv: string[]) =>
      (await mai('load', 'qwen/qwen3-4b', '--config', file, '--json', ...argv)).json();
    const configured = { kvCacheTypeK: 'q8_0', kvCacheTypeV: 'q8_0', flashAttention: true };
    expect(await load()).toMatchObject({
      instance: { loadConfig: { ...configured, contextLengthTokens: 6144 } },
    });
    expect(await load('--context', '2048', '--identifier', 'other')).toMatchObject({
      instance: { loadConfig: { ...configured, contextLengthTokens: 2048 } },
    });
  });

  test('says that a model is already loaded', async () => {
    await mai('load', 'qwen/qwen3-4b', '--context', '8192');
    const { out, err } = await mai('load', 'qwen/qwen3-4b', '--context', '8192');
    expect(out).toBe('Already loaded: qwen/qwen3-4b, 8,192 tokens of context.\n');
    expect(err).toBe('');
  });

  test('loads the named quantization, and unloads it by the same name', async () => {
    const variant = (name: string, sizeBytes: number) => ({
      name,
      sizeBytes,
      quantization: { name: name.toUpperCase(), bits: 4 },
      path: `x/${name}.gguf`,
    });
    const several = await startSimulator({
      speed: FAST,
      world: {
        models: [
          {
            modelKey: 'x/y',
            sizeBytes: 1 << 30,
            variants: [variant('q4_k_m', 1 << 30), variant('q8_0', 2 ** 31)],
          },
        ],
      },
    });
    const url = ['--url', several.httpUrl];
    const loading = await runMai(['load', 'x/y@q8_0', ...url], { homeFolder });
    expect(loading.err).toMatch(/^Loading x\/y@q8_0 \(2\.0 GiB\)/);
    expect(several.residents()).toMatchObject([{ modelKey: 'x/y@q8_0' }]);
    const unloading = await runMai(['unload', 'x/y@q8_0', ...url], { homeFolder });
    expect(unloading.exitCode).toBe(0);
    expect(several.residents()).toEqual([]);
    await several.stop();
  });

  test.each(['2', 'half', '-1', ''])('refuses --gpu-offload=%s', async (ratio) => {
    const { exitCode } = await mai('load', 'qwen/qwen3-4b', `--gpu-offload=${ratio}`);
    expect(exitCode).toBe(2);
    expect(simulator.requests).toEqual([]);
  });
});

describe('mai unload', () => {
  beforeEach(async () => {
    await mai('load', 'qwen/qwen3-1.7b', '--identifier', 'one');
    await mai('load', 'qwen/qwen3-1.7b', '--identifier', 'two');
  });

  test('unloads by identifier', async () => {
    const { exitCode, out } = await mai('unload', 'one');
    expect(exitCode).toBe(0);
    expect(out).toBe('Unloaded one (qwen/qwen3-1.7b), 1.7 GiB on disk.\n');
    expect(loaded()).toEqual(['two']);
  });

  test('a model key of several instances needs --all', async () => {
    const { exitCode, err } = await mai('unload', 'qwen/qwen3-1.7b');
    expect(exitCode).toBe(2);
    expect(err).toContain('one, two. Name one of them, or add --all.');
    expect(loaded()).toEqual(['one', 'two']);
    expect((await mai('unload', 'qwen/qwen3-1.7b', '--all')).exitCode).toBe(0);
    expect(loaded()).toEqual([]);
  });

  test('--dry-run changes nothing', async () => {
    const { out } = await mai('unload', 'one', '--dry-run');
    expect(out).toMatch(/^Would unload one/);
    expect(loaded()).toEqual(['one', 'two']);
  });

  test('does not interrupt a request unless forced', async () => {
    simulator.setBusy('one', { status: 'generating' });
    const { exitCode, err } = await mai('unload', 'one');
    expect(exitCode).toBe(5);
    expect(err).toContain('one is generating');
    expect((await mai('unload', 'one', '--force')).exitCode).toBe(0);
    expect(loaded()).toEqual(['two']);
  });

  test('unloading a model that is not loaded is an error with a suggestion', async () => {
    const { exitCode, err } = await mai('unload', 'tow');
    expect(exitCode).toBe(5);
    expect(err).toBe('error: tow is not loaded. Did you mean two?\n');
  });

  test('answers in JSON', async () => {
    const result = await mai('unload', 'one', '--json');
    expect(result.json()).toEqual({
      schemaVersion: 1,
      dryRun: false,
      unloaded: [{ instanceIdentifier: 'one', modelKey: 'qwen/qwen3-1.7b' }],
      delivery: { seen: false, processId: null },
    });
  });
});

describe('where LM Studio does not work', () => {
  test('LM Studio is off: exit 4 and the next step', async () => {
    const { exitCode, err } = await runMai(['load', 'x', '--url', '127.0.0.1:9']);
    expect(exitCode).toBe(4);
    expect(err).toMatch(/^error: .*LM Studio/);
  });

  test('another program listens: exit 4', async () => {
    simulator.fault.notLmStudio();
    const { exitCode, err } = await mai('unload', 'x');
    expect(exitCode).toBe(4);
    expect(err).toContain('not as LM Studio');
  });

  test.each(['load', 'unload'])(
    'a configuration that is invalid or missing: %s ends with 2 and changes nothing',
    async (command) => {
      await mai('load', 'qwen/qwen3-1.7b');
      const broken = path.join(homeFolder, 'broken.yaml');
      await writeFile(broken, 'version: 1\nmodles: []\n');
      const key = command === 'load' ? 'qwen/qwen3-4b' : 'qwen/qwen3-1.7b';
      for (const file of [broken, path.join(homeFolder, 'missing.yaml')]) {
        const { exitCode, err } = await mai(command, key, '--config', file);
        expect(exitCode).toBe(2);
        expect(err).toContain(file);
      }
      expect(loaded()).toEqual(['mai/qwen/qwen3-1.7b']);
    },
  );

  test('the token is refused: exit 4', async () => {
    simulator.fault.rejectAuthentication();
    const { exitCode } = await mai('load', 'qwen/qwen3-4b');
    expect(exitCode).toBe(4);
  });

  test.each([
    ['a malformed address', ['--url', 'ftp://x']],
    ['a token file that does not exist', ['--api-token-file', '/nowhere/token']],
  ])('%s: exit 2', async (_, options) => {
    const { exitCode, err } = await runMai(['load', 'x', ...options]);
    expect(exitCode).toBe(2);
    expect(err.split('\n')).toHaveLength(2);
  });
});
