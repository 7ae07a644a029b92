import { reportOf } from './buffer-lines.js';

const MIB = 2 ** 20;

const buffersOf = (...bufferLines: readonly string[]) =>
  reportOf({
    version: 3,
    reference: 'r',
    pid: 7,
    startTime: null,
    parent: { pid: 6, startTime: null },
    endpoint: { port: 1, token: 't' },
    loadedAtMs: 0,
    engine: { name: 'llama.cpp-linux-x64-cpu', version: '1.7.15' },
    spec: {
      file: '/m.gguf',
      projectorFile: null,
      nonCausalImages: false,
      kind: 'llm',
      modelKey: 'm',
      instanceIdentifier: 'mine',
      contextLengthTokens: 512,
      parallelSequences: 1,
      kvCacheTypeK: 'f16',
      kvCacheTypeV: 'f16',
      flashAttention: null,
      gpuLayers: 0,
      cpuExpertLayers: 0,
      locksWeights: false,
      threads: 1,
    },
    loadConfig: {
      contextLengthTokens: 512,
      parallelSequences: 1,
      offloadRatio: 0,
      kvCacheTypeK: 'f16',
      kvCacheTypeV: 'f16',
      flashAttention: true,
      cpuExpertRatio: null,
    },
    keepModelInMemory: false,
    ttlMs: null,
    model: { displayName: 'm', path: null, sizeBytes: 1, maxContextLengthTokens: null },
    facts: {
      contextLengthTokens: 512,
      flashAttention: true,
      vision: false,
      toolUse: false,
      bufferLines,
    },
  });

test('adds up weights and caches by device, and takes the last line of a buffer that is reserved anew', () => {
  expect(
    buffersOf(
      'load_tensors: offloaded 3/5 layers to GPU',
      'load_tensors:   CPU_Mapped model buffer size =     1.00 MiB',
      'load_tensors:        CUDA0 model buffer size =     2.50 MiB',
      'llama_kv_cache:        CPU KV buffer size =     4.00 MiB',
      'llama_kv_cache:        CPU KV buffer size =     1.00 MiB',
      'llama_kv_cache: size =    5.00 MiB (  4096 cells,   2 layers)',
      'sched_reserve:        CPU compute buffer size =    10.00 MiB',
      'sched_reserve:        CPU compute buffer size =    12.00 MiB',
      'alloc_compute_meta:        CPU compute buffer size =     3.00 MiB',
    ),
  ).toMatchObject({
    instanceIdentifier: 'mine',
    reference: 'r',
    pid: 7,
    offloadedLayers: { onGpu: 3, total: 5 },
    buffers: [
      { part: 'weights', device: 'CPU_Mapped', bytes: MIB },
      { part: 'weights', device: 'CUDA0', bytes: 2.5 * MIB },
      { part: 'kv-cache', device: 'CPU', bytes: 5 * MIB },
      { part: 'compute', device: 'CPU', bytes: 12 * MIB },
      { part: 'projector-compute', device: 'CPU', bytes: 3 * MIB },
    ],
  });
});
