import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { findEngine, writeNoiseModel } from '@mai/llama-runtime';
import { startSimulator } from '@mai/lmstudio-simulator';

const CLI = path.join(__dirname, '..', '..', '..', 'cli');
const MAI = path.join(CLI, 'bin', 'mai.js');
const MIB = 1024 ** 2;

/** A real `mai serve` in a process of its own, on this machine's real memory, and the commands beside it. */
export interface LiveMachine extends AsyncDisposable {
  /** Address of the page. */
  readonly url: string;
  /** Runs a command beside it, and resolves with what it prints on stdout. Fails where it ends with another code than 0. */
  mai(...argv: string[]): Promise<string>;
  /** The same with `--json`. */
  json(...argv: string[]): Promise<any>; // eslint-disable-line @typescript-eslint/no-explicit-any
}

/** The parts of a machine that differ by runtime. */
interface Runtime {
  readonly models: readonly object[];
  readonly chain: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly argv: readonly string[];
  stop(): Promise<void>;
}

/**
 * Starts a machine.
 *
 * - `simulator`: LM Studio is simulated, with two models that fit and one that never fits.
 * - `embedded`: the embedded engine with two generated models. Null where npm has no build of the engine for this machine.
 */
export async function startLiveMachine(
  kind: 'simulator' | 'embedded',
): Promise<LiveMachine | null> {
  if (!existsSync(path.join(CLI, 'dist', 'main.cjs'))) {
    throw new Error('The command line is not built: npm run build.');
  }
  if (kind === 'embedded' && (await findEngine()) === null) return null;
  const folder = await mkdtemp(path.join(tmpdir(), 'mai-live-'));
  const runtime = await (kind === 'simulator' ? simulated() : embedded(folder));
  const config = path.join(folder, 'models.yaml');
  await writeFile(config, JSON.stringify(configOf(runtime)));
  const environment = {
    ...process.env,
    ...runtime.env,
    HOME: folder,
    USERPROFILE: folder,
    LOCALAPPDATA: folder,
    APPDATA: folder,
    XDG_DATA_HOME: folder,
    XDG_CONFIG_HOME: folder,
    XDG_CACHE_HOME: folder,
    NO_COLOR: '1',
    COLUMNS: '400',
    MAI_CONFIG: config,
  };
  const start = (argv: readonly string[]) => {
    const child = spawn(process.execPath, [MAI, ...argv, ...runtime.argv], {
      cwd: folder,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const printed = { out: '', told: '' };
    child.stdout.on('data', (chunk: Buffer) => (printed.out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (printed.told += chunk.toString()));
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    return { child, printed, ended };
  };
  const mai = async (...argv: string[]): Promise<string> => {
    const { printed, ended } = start(argv);
    const code = await ended;
    if (code !== 0) throw new Error(`mai ${argv.join(' ')} ended with ${code}: ${printed.told}`);
    return printed.out;
  };
  const serving = start(['serve', '--port', '0', '--json']);
  const first = await new Promise<string>((resolve, reject) => {
    createInterface(serving.child.stdout).once('line', resolve);
    void serving.ended.then(() => reject(new Error(`It ended: ${serving.printed.told}`)));
  });
  const { url } = JSON.parse(first) as { readonly url: string };
  return {
    url,
    mai,
    json: async (...argv) => JSON.parse(await mai(...argv, '--json')) as unknown,
    [Symbol.asyncDispose]: async () => {
      serving.child.kill('SIGTERM');
      await serving.ended;
      await runtime.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** High limits, so that the test also runs on a rather full and busy machine. */
function configOf({ models, chain }: Runtime): object {
  return {
    version: 1,
    models,
    fallback_chains: { default: chain },
    switching: {
      dwell: '1s',
      cool_down: '1s',
      min_headroom: '1MiB',
      memory_percent: 95,
      hard_limit_percent: 99,
      unified_hard_limit_percent: 99,
      cpu_percent: 100,
    },
  };
}

const GEOMETRY = {
  layers: 4,
  kvHeads: 2,
  headDimension: 32,
  hiddenSize: 256,
  vocabularySize: 1024,
};

async function simulated(): Promise<Runtime> {
  const sizes = { 'test/large': 96 * MIB, 'test/small': 16 * MIB, 'test/vast': 2 ** 50 };
  const simulator = await startSimulator({
    speed: 200,
    world: {
      machine: { gpus: [] },
      models: Object.entries(sizes).map(([modelKey, sizeBytes]) => ({
        modelKey,
        sizeBytes,
        maxContextLength: 32_768,
        geometry: GEOMETRY,
      })),
      guardrails: { mode: 'off' },
    },
  });
  const model = (key: string, category: string) => ({
    key,
    category,
    context_window: 4096,
    capabilities: ['chat'],
  });
  return {
    models: [
      model('test/vast', 'large'),
      model('test/large', 'medium'),
      model('test/small', 'small'),
    ],
    chain: ['test/vast', 'test/large', 'test/small'],
    env: { MAI_LMSTUDIO_URL: simulator.httpUrl },
    argv: [],
    stop: () => simulator.stop(),
  };
}

async function embedded(folder: string): Promise<Runtime> {
  const models = path.join(folder, 'models');
  await mkdir(models);
  const shapes = { noise: { layers: 6, width: 512 }, hum: { layers: 2, width: 256 } };
  for (const [name, shape] of Object.entries(shapes)) {
    await writeNoiseModel(path.join(models, `${name}.gguf`), { name, ...shape });
  }
  const model = (key: string, category: string) => ({
    key,
    category,
    context_window: 2048,
    capabilities: ['chat'],
  });
  return {
    models: [model('noise', 'medium'), model('hum', 'small')],
    chain: ['noise', 'hum'],
    env: {},
    argv: ['--runtime', 'embedded', '--models', models],
    stop: async () => undefined,
  };
}
