import type { ResidentInstance } from '@mai/lmstudio-adapter';
import { LMStudioError } from '@mai/lmstudio-adapter';
import { DEFAULT_LOAD_CONFIG, totalBytesOf, type Resources } from '@mai/memory-ledger';
import { newestProfile } from '../engine/read-load-engine.js';
import type { Downloads } from '../downloads/downloads-list.js';
import { createFootprints } from './footprints.js';

const GIB = 1024 ** 3;
const SETTINGS: NonNullable<ResidentInstance['settings']> = {
  kvUnified: null,
  batchTokens: null,
  ubatchTokens: null,
  contextCheckpoints: null,
  draftTokens: null,
  draftMethods: [],
  draftModelKey: null,
  autoFit: null,
  autoFitMinContextTokens: null,
  offloadKvCacheToGpu: null,
  tryMmap: null,
  tryDirectIo: null,
  numExperts: null,
  gpuSplit: null,
  gpuStrictVramCap: null,
  mlxDiskCache: null,
  mlxKvCache: null,
};

describe('a resident whose model was deleted after its load', () => {
  const loadConfig = { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: 8192 };
  const resident = (changes: Partial<ResidentInstance>): ResidentInstance => ({
    instanceIdentifier: 'gone',
    reference: null,
    modelKey: 'acme/gone',
    variant: null,
    kind: 'llm',
    displayName: 'Gone',
    path: null,
    sizeBytes: 4 * GIB,
    contextLengthTokens: 8192,
    maxContextLengthTokens: 32_768,
    ttlMs: null,
    lastUsedAtMs: null,
    deviceIdentifier: null,
    activity: 'idle',
    queued: 0,
    loadConfig,
    keepModelInMemory: false,
    settings: null,
    ...changes,
  });
  const downloads: Downloads = {
    models: [],
    listed: [],
    linked: [],
    unusable: [],
    otherEntries: [],
    unreadable: [],
    missingFolder: null,
    missingModelFolders: [],
    gone: [],
    stampedFiles: [],
    sources: new Map(),
    link: {
      kind: 'off',
      runtime: 'lmstudio',
      reason: new LMStudioError('UNREACHABLE', 'It is off.'),
    },
    origin: { kind: 'lmstudio', baseUrl: 'http://127.0.0.1:1234', elsewhere: 0 },
    engine: {
      profile: newestProfile(),
      selected: [],
      disabledGpus: 0,
      seenGpus: null,
      usesGpus: true,
      vectorInstructions: true,
      threads: 8,
      hardware: null,
      mlxKvCache: null,
    },
    find: () => Promise.resolve(null),
    filesOfResident: () => Promise.resolve(null),
  };
  const footprintOf = async (one: ResidentInstance, gpus: Resources['gpus'] = []) => {
    const sources = {
      downloads,
      calibration: null,
      headers: { read: unread, derive: unread, save: () => ({ saved: true, error: null }) },
    };
    const port = createFootprints(sources, () => [one]);
    const resources = {
      timestampMs: 0,
      observable: true,
      unified: false,
      gpus,
      ram: { totalBytes: 64 * GIB, availableBytes: 50 * GIB, mappedCountsAsUsed: false },
      cpu: { utilizationRatio: 0, othersRatio: 0 },
    };
    const question = { modelKey: 'acme/gone', loadConfig, resources, deviceIdentifier: null };
    return (await port.estimate(question, {})).footprint;
  };
  const unread = () => Promise.reject(new Error('No file is there to be read.'));

  test('has a footprint of its size in the list of instances', async () => {
    const footprint = await footprintOf(resident({}));
    expect(footprint).toMatchObject({ source: 'file-size' });
    expect(footprint && totalBytesOf(footprint)).toBeGreaterThan(4 * GIB);
    expect(footprint?.ram.mappedBytes).toBe(4 * GIB);
  });

  test('may grow by what its engine keeps, so that this growth is not counted as use of others', async () => {
    const growth = (await footprintOf(resident({})))?.growth;
    expect(growth?.ramBytes).toBeGreaterThan(8 * GIB);
    // An embedding model gets no checkpoints.
    const ofEmbedding = await footprintOf(resident({ kind: 'embedding' }));
    expect(ofEmbedding?.growth?.ramBytes).toBe(8 * GIB);
  });

  test('has a footprint with its settings: locked weights are not mapped', async () => {
    const footprint = await footprintOf(resident({ keepModelInMemory: true }));
    expect(footprint?.ram.mappedBytes).toBe(0);
    expect(footprint?.ram.anonymousBytes).toBeGreaterThan(4 * GIB);
  });

  test.each([
    [true, 0],
    // 96 KiB for each of 8192 tokens.
    [false, 8192 * 96 * 1024],
  ])('has its KV cache on the GPU: %s', async (offloadKvCacheToGpu, ramBytes) => {
    const card: Resources['gpus'][number] = {
      deviceKey: 'card',
      name: 'Card',
      vendor: 'nvidia',
      memory: 'dedicated',
      totalBytes: 24 * GIB,
      availableBytes: 20 * GIB,
    };
    const settings = { ...SETTINGS, offloadKvCacheToGpu };
    const footprint = await footprintOf(resident({ settings }), [card]);
    expect(footprint?.ram).toEqual({ mappedBytes: 0, anonymousBytes: ramBytes });
    expect(footprint && totalBytesOf(footprint)).toBeGreaterThan(4 * GIB);
  });

  test('is divided between RAM and a GPU that is too small for it', async () => {
    const card: Resources['gpus'][number] = {
      deviceKey: 'card',
      name: 'Card',
      vendor: 'nvidia',
      memory: 'dedicated',
      totalBytes: 2 * GIB,
      availableBytes: GIB,
    };
    const footprint = await footprintOf(resident({}), [card]);
    expect(footprint?.gpus[0]?.bytes).toBeLessThanOrEqual(2 * GIB);
    expect(footprint && totalBytesOf(footprint)).toBeGreaterThan(4 * GIB);
  });

  test('has no footprint where LM Studio does not report its size', async () => {
    expect(await footprintOf(resident({ sizeBytes: 0 }))).toBeNull();
  });
});
