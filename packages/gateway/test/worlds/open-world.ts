import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DECISION_WORDS, openHost, type Host, type MonitorPort } from '@mai/host';
import { startSimulator, type Simulator, type SimulatorOptions } from '@mai/lmstudio-simulator';
import { createGateway, type Gateway, type GatewayOptions } from '../../src/index.js';

export const GIB = 1024 ** 3;
export const LARGE = 'test/large';
export const SMALL = 'test/small';
export const VISION = 'test/vision';
export const EMBEDDING = 'text-embedding-test';

/** A gateway on a host, in front of a simulated LM Studio on a machine of 32 GiB. */
export interface GatewayWorld extends AsyncDisposable {
  readonly simulator: Simulator;
  readonly host: Host;
  readonly gateway: Gateway;
  readonly url: string;
  /** Bytes that other programs use; a test may change it. 6 GiB at first. */
  readonly machine: { othersBytes: number };
  readonly folder: string;
  residents(): readonly string[];
}

/** Opens a world with a large, a small, a vision and an embedding model. */
export async function openWorld(
  options: GatewayOptions = {},
  simulated: SimulatorOptions = {},
): Promise<GatewayWorld> {
  const folder = await mkdtemp(path.join(tmpdir(), 'mai-'));
  const { world, ...rest } = simulated;
  const simulator = await startSimulator({
    speed: 200,
    ...rest,
    world: {
      machine: { ramBytes: 32 * GIB, gpus: [] },
      models: [
        { modelKey: LARGE, sizeBytes: 8 * GIB, maxContextLength: 32_768, trainedForToolUse: true },
        { modelKey: SMALL, sizeBytes: 2 * GIB, maxContextLength: 32_768, trainedForToolUse: true },
        { modelKey: VISION, sizeBytes: 4 * GIB, maxContextLength: 32_768, vision: true },
        { modelKey: EMBEDDING, type: 'embedding', sizeBytes: GIB / 4, maxContextLength: 8192 },
      ],
      guardrails: { mode: 'off' },
      ...world,
    },
  });
  const machine = { othersBytes: 6 * GIB };
  const chat = (
    key: string,
    category: 'small' | 'medium' | 'large',
    ...more: ('tools' | 'vision')[]
  ) => ({
    key,
    category,
    context_window: 16_384,
    capabilities: ['chat' as const, ...more],
  });
  const host = await openHost({
    url: simulator.httpUrl,
    config: {
      version: 1,
      models: [
        chat(LARGE, 'large', 'tools'),
        chat(VISION, 'medium', 'vision'),
        chat(SMALL, 'small', 'tools'),
        { key: EMBEDDING, category: 'small', context_window: 2048, capabilities: ['embedding'] },
      ],
      fallback_chains: { default: [LARGE, VISION, SMALL], embedding: [EMBEDDING] },
      switching: { dwell: '1s', cool_down: '1s' },
    },
    dataFolder: path.join(folder, 'data'),
    cacheFolder: path.join(folder, 'cache'),
    configFolder: folder,
    userHome: folder,
    cwd: folder,
    env: {},
    timeoutMs: 10_000,
    monitor: monitorOf(simulator, machine),
    warn: () => undefined,
  });
  const gateway = await createGateway(
    { serving: host.serving, control: { machine: host, words: DECISION_WORDS } },
    options,
  );
  const { url } = await gateway.listen({ port: 0 });
  return {
    simulator,
    host,
    gateway,
    url,
    machine,
    folder,
    residents: () => simulator.residents().map((one) => one.modelKey),
    [Symbol.asyncDispose]: async () => {
      await gateway[Symbol.asyncDispose]();
      await host[Symbol.asyncDispose]();
      await simulator.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The monitor of a machine on which the simulated models take the simulator's memory. */
function monitorOf(simulator: Simulator, machine: { readonly othersBytes: number }): MonitorPort {
  return {
    snapshot: async () => {
      const { mappedBytes, anonymousBytes } = simulator.memoryInUse().ram;
      return {
        timestampMs: Date.now(),
        observable: true,
        ram: {
          totalBytes: 32 * GIB,
          availableBytes: Math.max(
            0,
            32 * GIB - machine.othersBytes - mappedBytes - anonymousBytes,
          ),
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
