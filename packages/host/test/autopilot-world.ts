import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MonitorPort } from '@mai/autopilot';
import type { Simulator } from '@mai/lmstudio-simulator';
import { startSimulator } from '@mai/lmstudio-simulator';
import type { ModelConfigFile } from '@mai/model-config';
import { contextOf, type HostOptions } from '../src/host-options.js';
import type { HostParts } from '../src/host-parts.js';
import { createHostParts } from '../src/create-host-parts.js';

export const GIB = 1024 ** 3;
export const LARGE = 'test/large';
export const SMALL = 'test/small';

/**
 * A simulated LM Studio with a large and a small model, on a machine of 32 GiB. Other programs use 6 GiB at
 * first.
 */
export interface AutopilotWorld extends AsyncDisposable {
  readonly simulator: Simulator;
  /** A folder that contains all files of the hosts. It is removed with the world. */
  readonly folder: string;
  /** Bytes that other programs use; a test may change it. */
  readonly machine: { othersBytes: number };
  readonly warnings: string[];
  readonly options: HostOptions;
  /** Creates the parts of another host. They are disposed of with the world. */
  readonly parts: (changes?: HostOptions) => HostParts;
  readonly residents: () => readonly string[];
}

export async function openAutopilotWorld(
  changes: Partial<ModelConfigFile> = {},
  maxContextLength = 8192,
): Promise<AutopilotWorld> {
  // A short name, because the length of Unix socket paths is limited.
  const folder = await mkdtemp(path.join(tmpdir(), 'mai-'));
  const model = (modelKey: string, sizeBytes: number) => ({
    modelKey,
    sizeBytes,
    maxContextLength,
  });
  const simulator = await startSimulator({
    speed: 200,
    world: {
      machine: { ramBytes: 32 * GIB, gpus: [] },
      models: [model(LARGE, 8 * GIB), model(SMALL, 2 * GIB)],
      guardrails: { mode: 'off' },
    },
  });
  const configured = (key: string, category: 'large' | 'small') => ({
    key,
    category,
    context_window: 4096,
    capabilities: ['chat' as const],
  });
  const config = {
    version: 1,
    models: [configured(LARGE, 'large'), configured(SMALL, 'small')],
    fallback_chains: { default: [LARGE, SMALL] },
    switching: { dwell: '1s', cool_down: '1s' },
    ...changes,
  } satisfies ModelConfigFile;
  const machine = { othersBytes: 6 * GIB };
  const warnings: string[] = [];
  const options: HostOptions = {
    url: simulator.httpUrl,
    config,
    dataFolder: path.join(folder, 'data'),
    cacheFolder: path.join(folder, 'cache'),
    configFolder: folder,
    userHome: folder,
    cwd: folder,
    env: {},
    timeoutMs: 5000,
    monitor: monitorOf(simulator, machine),
    warn: (message) => warnings.push(message),
  };
  const opened: HostParts[] = [];
  return {
    simulator,
    folder,
    machine,
    warnings,
    options,
    parts: (own = {}) => {
      const parts = createHostParts(
        contextOf({ ...options, ...own }, new AbortController().signal),
      );
      opened.push(parts);
      return parts;
    },
    residents: () => simulator.residents().map(({ instanceIdentifier }) => instanceIdentifier),
    [Symbol.asyncDispose]: async () => {
      for (const parts of opened) await parts[Symbol.asyncDispose]();
      // The simulator notices a closed connection a moment later. The test's timeout limits this loop.
      while (simulator.connections() > 0) await sleep(10);
      await simulator.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The monitor of a machine on which the simulated models take the simulator's memory. */
export function monitorOf(
  simulator: Simulator,
  machine: { readonly othersBytes: number },
): MonitorPort {
  return {
    snapshot: async () => {
      const { mappedBytes, anonymousBytes } = simulator.memoryInUse().ram;
      return {
        timestampMs: Date.now(),
        observable: true,
        ram: {
          totalBytes: 32 * GIB,
          availableBytes: 32 * GIB - machine.othersBytes - mappedBytes - anonymousBytes,
          mappedCountsAsUsed: true,
        },
        unified: false,
        gpus: [],
        cpu: { utilizationRatio: 0.1, othersRatio: 0.1 },
      };
    },
    readRam: null,
    settled: null,
  };
}
