import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Simulator } from '@mai/lmstudio-simulator';
import { startSimulator } from '@mai/lmstudio-simulator';
import type { ModelConfigFile } from '@mai/model-config';
import type { RunningMai } from './start-mai.js';
import { startMai } from './start-mai.js';
import type { MaiResult } from './run-mai.js';
import { runMai } from './run-mai.js';
import type { FakeIoOptions } from './fake-io.js';

/**
 * A simulated LM Studio with a large and a small model, scaled to the free memory of this machine,
 * and a home folder with a configuration.
 */
export interface WatchWorld extends AsyncDisposable {
  readonly simulator: Simulator;
  readonly folder: string;
  /** The size of the large model: half of the room under the limit. */
  readonly largeBytes: number;
  readonly configFile: string;
  readonly mai: (line: string, options?: FakeIoOptions) => Promise<MaiResult>;
  readonly start: (line: string, options?: FakeIoOptions) => RunningMai;
  readonly residents: () => readonly string[];
  readonly writeConfig: (changes?: Partial<ModelConfigFile>) => Promise<void>;
}

const FAST = 1000;
const MIB = 1024 ** 2;
// A high limit, so that the tests also work on a rather full and busy machine.
const LIMIT_PERCENT = 95;
const HARD_LIMIT_PERCENT = 99;

/** The environment of a `mai` that runs in a process of its own: the world's LM Studio and folders, and nothing of this user. */
export function environmentOf({
  folder,
  simulator,
  configFile,
}: Pick<WatchWorld, 'folder' | 'simulator' | 'configFile'>): NodeJS.ProcessEnv {
  return {
    ...process.env,
    HOME: folder,
    USERPROFILE: folder,
    NO_COLOR: '1',
    XDG_DATA_HOME: folder,
    LOCALAPPDATA: folder,
    APPDATA: folder,
    XDG_CONFIG_HOME: folder,
    MAI_LMSTUDIO_URL: simulator.httpUrl,
    MAI_CONFIG: configFile,
  };
}

export async function openWatchWorld(): Promise<WatchWorld> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'mai watch '));
  const totalBytes = os.totalmem();
  const othersBytes = totalBytes - os.freemem();
  // Half of the room under the limit, so that other programs can grow meanwhile.
  const largeBytes = Math.round(((LIMIT_PERCENT / 100) * totalBytes - othersBytes) / 2);
  const smallBytes = 64 * MIB;
  const geometry = {
    layers: 4,
    kvHeads: 2,
    headDimension: 32,
    hiddenSize: 256,
    vocabularySize: 1024,
  };
  const simulator = await startSimulator({
    speed: FAST,
    world: {
      machine: { ramBytes: totalBytes, othersRamBytes: othersBytes, gpus: [] },
      models: [
        { modelKey: 'test/large', sizeBytes: largeBytes, maxContextLength: 4096, geometry },
        { modelKey: 'test/small', sizeBytes: smallBytes, maxContextLength: 4096, geometry },
      ],
      guardrails: { mode: 'off' },
    },
  });
  const configFile = path.join(folder, 'models.yaml');
  const writeConfig: WatchWorld['writeConfig'] = async (changes = {}) => {
    const model = (tier: string) => ({
      key: `test/${tier}`,
      category: tier,
      context_window: 2048,
      capabilities: ['chat'],
    });
    const config = {
      version: 1,
      models: [model('large'), model('small')],
      fallback_chains: { default: ['test/large', 'test/small'] },
      ...changes,
      switching: {
        dwell: '1s',
        cool_down: '1s',
        min_headroom: '1MiB',
        memory_percent: LIMIT_PERCENT,
        hard_limit_percent: HARD_LIMIT_PERCENT,
        unified_hard_limit_percent: HARD_LIMIT_PERCENT,
        cpu_percent: 100,
        ...changes.switching,
      },
    };
    await writeFile(configFile, JSON.stringify(config));
  };
  await writeConfig();
  const argv = (line: string) => [
    ...line.split(' '),
    '--url',
    simulator.httpUrl,
    '--config',
    configFile,
  ];
  const io = { cwd: folder, homeFolder: folder, env: { NO_COLOR: '1' } };
  const running: RunningMai[] = [];
  return {
    simulator,
    folder,
    largeBytes,
    configFile,
    mai: (line, options) => runMai(argv(line), { ...io, ...options }),
    start: (line, options) => {
      const mai = startMai(argv(line), { ...io, ...options });
      running.push(mai);
      return mai;
    },
    residents: () => simulator.residents().map(({ instanceIdentifier }) => instanceIdentifier),
    writeConfig,
    [Symbol.asyncDispose]: async () => {
      // After a failed test they may still run, and would keep the test's process alive.
      await Promise.allSettled(running.map((mai) => mai.interrupt()));
      await simulator.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
