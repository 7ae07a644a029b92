import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  DECISION_WORDS,
  openHost,
  type EstimateRequest,
  type Host,
  type MonitorPort,
} from '@mai/host';
import { writeNoiseModel } from '@mai/llama-runtime';
import { readPrivateMemory } from '@mai/resource-monitor';
import { createGateway } from '../../src/index.js';

const MIB = 1024 ** 2;
const TOTAL_BYTES = 2048 * MIB;
const LIMIT_RATIO = 0.8;
/** Bytes that other programs use at first. */
export const PLENTY_BYTES = 256 * MIB;

export const LARGE = 'large';
export const SMALL = 'small';
export const EMBEDDING = 'vectors';

/** Models of random weights, by the names of their files. The large one has a file of 26 MB. */
const SHAPES = {
  large: { layers: 8, width: 512, maxContextLengthTokens: 65_536 },
  small: { layers: 2, width: 256 },
  vectors: { layers: 2, width: 256, kind: 'embedding' },
} as const;

/**
 * The contexts of the chat models. The large model takes most of its memory for its context, so that its engine takes
 * more than the small model's estimate.
 */
const LARGE_CONTEXT_TOKENS = 65_536;
const SHORTEST_CONTEXT_TOKENS = 4096;

/** A gateway on a host with the embedded engine, on a machine whose memory a test controls. */
export interface EmbeddedWorld extends AsyncDisposable {
  readonly host: Host;
  readonly url: string;
  /** Bytes that other programs use; a test may change it. `PLENTY_BYTES` at first. */
  readonly machine: { othersBytes: number };
  /**
   * With these bytes in use by other programs, the small model fits. The large one does not, whatever it gives up.
   */
  readonly scarceBytes: number;
  residents(): Promise<readonly string[]>;
  /** The process of each engine, by model key. */
  engines(): Promise<ReadonlyMap<string, number>>;
}

/**
 * Writes a large, a small and an embedding model, and opens a gateway in front of them.
 *
 * @param withTools - the chat models that have tools
 * @param large - the layers, the width and the configured load of the large model
 */
export async function openEmbeddedWorld(
  withTools: readonly string[] = [LARGE, SMALL],
  large: {
    readonly layers: number;
    readonly width: number;
    readonly contextTokens: number;
    readonly load?: { readonly parallel: number; readonly kv_cache: 'f16' | 'f32' };
  } = { ...SHAPES.large, contextTokens: LARGE_CONTEXT_TOKENS },
): Promise<EmbeddedWorld> {
  // The engine's process is a program of the built package.
  if (
    !existsSync(path.join(__dirname, '..', '..', '..', 'llama-runtime', 'dist', 'engine-child.cjs'))
  ) {
    throw new Error('@mai/llama-runtime is not built: npm run build.');
  }
  const folder = await mkdtemp(path.join(tmpdir(), 'mai-'));
  const models = path.join(folder, 'models');
  await mkdir(models);
  const { layers, width } = large;
  for (const [name, shape] of Object.entries({
    ...SHAPES,
    large: { ...SHAPES.large, layers, width },
  })) {
    await writeNoiseModel(path.join(models, `${name}.gguf`), { name, ...shape });
  }
  const registry = path.join(folder, 'data', 'engines');
  const machine = { othersBytes: PLENTY_BYTES };
  const capabilitiesOf = (modelKey: string): ('chat' | 'tools')[] =>
    withTools.includes(modelKey) ? ['chat', 'tools'] : ['chat'];
  const host = await openHost({
    runtime: 'embedded',
    modelFolders: [models],
    config: {
      version: 1,
      models: [
        {
          key: LARGE,
          category: 'large',
          context_window: large.contextTokens,
          load: large.load,
          capabilities: capabilitiesOf(LARGE),
        },
        {
          key: SMALL,
          category: 'small',
          context_window: SHORTEST_CONTEXT_TOKENS,
          capabilities: capabilitiesOf(SMALL),
        },
        {
          key: EMBEDDING,
          category: 'small',
          context_window: 2048,
          capabilities: ['embedding'],
        },
      ],
      fallback_chains: { default: [LARGE, SMALL], embedding: [EMBEDDING] },
      switching: {
        memory_percent: LIMIT_RATIO * 100,
        min_headroom: '0MiB',
        dwell: '1s',
        cool_down: '1s',
      },
    },
    dataFolder: path.join(folder, 'data'),
    cacheFolder: path.join(folder, 'cache'),
    configFolder: folder,
    userHome: folder,
    cwd: folder,
    env: {},
    monitor: monitorOf(registry, machine),
    warn: () => undefined,
  });
  const gateway = await createGateway({
    serving: host.serving,
    control: { machine: host, words: DECISION_WORDS },
  });
  const { url } = await gateway.listen({ port: 0 });
  const [shortened, small] = await Promise.all([
    bytesOf(host, LARGE, {
      contextLengthTokens: SHORTEST_CONTEXT_TOKENS,
      kvCacheTypeK: 'q4_0',
      kvCacheTypeV: 'q4_0',
    }),
    bytesOf(host, SMALL),
  ]);
  return {
    host,
    url,
    machine,
    scarceBytes: Math.round(TOTAL_BYTES * LIMIT_RATIO - (shortened + small) / 2),
    residents: async () => (await host.status()).residents.map(({ modelKey }) => modelKey),
    engines: () => readEngines(registry),
    [Symbol.asyncDispose]: async () => {
      await gateway[Symbol.asyncDispose]();
      await host[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The upper end of the estimate of a model. */
async function bytesOf(
  host: Host,
  modelKey: string,
  settings: EstimateRequest['settings'] = {},
): Promise<number> {
  const { report } = await host.estimate({ model: modelKey, settings });
  return report.interval?.highBytes ?? report.totalBytes;
}

async function readEngines(registry: string): Promise<ReadonlyMap<string, number>> {
  const names = await readdir(registry).catch((): readonly string[] => []);
  const records = await Promise.all(
    names
      .filter((name) => name.endsWith('.json'))
      .map(async (name) => {
        // A record is removed when its engine ends.
        const text = await readFile(path.join(registry, name), 'utf8').catch(() => null);
        if (text === null) return [];
        const { pid, spec } = JSON.parse(text) as {
          readonly pid: number;
          /** Absent while the engine loads its model. */
          readonly spec?: { readonly modelKey: string };
        };
        return spec === undefined ? [] : [[spec.modelKey, pid] as const];
      }),
  );
  return new Map(records.flat());
}

/** The monitor of a machine of 2 GiB on which the engines take the memory that they really take. */
function monitorOf(registry: string, machine: { readonly othersBytes: number }): MonitorPort {
  return {
    snapshot: async () => {
      const processIds = [...(await readEngines(registry)).values()];
      const engineBytes = (await readPrivateMemory(processIds, { signal: null })) ?? 0;
      return {
        timestampMs: Date.now(),
        observable: true,
        ram: {
          totalBytes: TOTAL_BYTES,
          availableBytes: Math.max(0, TOTAL_BYTES - machine.othersBytes - engineBytes),
          mappedCountsAsUsed: false,
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
