import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  addKey,
  createGateway,
  openKeyStore,
  removeKey,
  systemClock,
  type Gateway,
} from '@mai/gateway';
import { openHost } from '@mai/host';
import * as words from '@mai/host';
import { startSimulator } from '@mai/lmstudio-simulator';
import { GIB } from './models.js';

export const LARGE = 'test/large';
export const SMALL = 'test/small';

/** The real gateway on a real host. Only LM Studio is simulated, and the memory follows from what it has loaded. */
export interface RealGateway {
  readonly url: string;
  /** Makes an API key. Within a second after the first one, the gateway asks for keys. */
  addKey(name: string, scope: 'control' | 'read' | 'inference'): Promise<string>;
  removeKey(name: string): Promise<void>;
  /** Sets what other programs use of the 32 GiB of RAM. */
  setOthers(bytes: number): void;
  /** Closes the gateway, and opens another at the same address. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export async function startRealGateway(): Promise<RealGateway> {
  const folder = await mkdtemp(path.join(tmpdir(), 'mai-page-'));
  const simulator = await startSimulator({
    speed: 1,
    world: {
      machine: { ramBytes: 32 * GIB, gpus: [] },
      models: [
        { modelKey: LARGE, sizeBytes: 12 * GIB, maxContextLength: 32_768 },
        { modelKey: SMALL, sizeBytes: 2 * GIB, maxContextLength: 32_768 },
      ],
      guardrails: { mode: 'off' },
    },
  });
  let othersBytes = 4 * GIB;
  const chat = (key: string, category: 'small' | 'large') => ({
    key,
    category,
    context_window: 8192,
    capabilities: ['chat' as const],
  });
  const host = await openHost({
    url: simulator.httpUrl,
    config: {
      version: 1,
      models: [chat(LARGE, 'large'), chat(SMALL, 'small')],
      fallback_chains: { default: [LARGE, SMALL] },
    },
    dataFolder: path.join(folder, 'data'),
    cacheFolder: path.join(folder, 'cache'),
    configFolder: folder,
    userHome: folder,
    cwd: folder,
    env: {},
    timeoutMs: 10_000,
    monitor: {
      snapshot: async () => {
        const { mappedBytes, anonymousBytes } = simulator.memoryInUse().ram;
        const totalBytes = 32 * GIB;
        return {
          timestampMs: Date.now(),
          observable: true,
          unified: false,
          gpus: [],
          ram: {
            totalBytes,
            availableBytes: Math.max(0, totalBytes - othersBytes - mappedBytes - anonymousBytes),
            mappedCountsAsUsed: true,
          },
          cpu: { utilizationRatio: 0.1, othersRatio: 0.1 },
        };
      },
      readRam: null,
      settled: null,
    },
    warn: () => undefined,
  });
  const autopilot = await host.startAutopilot();
  const keysFile = path.join(folder, 'keys.json');
  const open = async (port: number): Promise<{ gateway: Gateway; url: string }> => {
    const gateway = await createGateway(
      { serving: host.serving, control: { machine: host, words } },
      {
        pageFolder: path.join(__dirname, '..', '..', 'dist'),
        keys: await openKeyStore(keysFile, systemClock),
      },
    );
    const { url } = await gateway.listen({ port });
    return { gateway, url };
  };
  let { gateway, url } = await open(0);
  return {
    url: `${url}/`,
    addKey: (name, scope) => addKey(keysFile, { name, scopes: [scope] }, Date.now()),
    removeKey: async (name) => void (await removeKey(keysFile, name)),
    setOthers: (bytes) => {
      othersBytes = bytes;
    },
    restart: async () => {
      await gateway[Symbol.asyncDispose]();
      ({ gateway, url } = await open(Number(new URL(url).port)));
    },
    close: async () => {
      await gateway[Symbol.asyncDispose]();
      await autopilot[Symbol.asyncDispose]();
      await host[Symbol.asyncDispose]();
      await simulator.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
