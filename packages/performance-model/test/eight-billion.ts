import type { SpeedQuestion } from '../src/index.js';

export const GB = 1e9;

/** A dense model of eight billion parameters, wholly on a GPU with 400 GB/s. */
export const QUESTION: SpeedQuestion = {
  shape: {
    parameters: 8 * GB,
    activeParameters: 8 * GB,
    layers: 32,
    weightBytes: 5 * GB,
    activeWeightBytes: 5 * GB,
    expertBytes: 0,
    activeExpertBytes: 0,
    kvBytesPerToken: 131_072,
    queryValuesPerToken: 131_072,
  },
  machine: {
    gpu: {
      backend: 'cuda',
      generation: null,
      memoryBandwidth: 400 * GB,
      operationsPerSecond: 40e12,
      linkBandwidth: 20 * GB,
    },
    ramBandwidth: 80 * GB,
    scalarThreads: null,
  },
  placement: { offloadRatio: 1, cpuExpertRatio: 0, kvCacheType: 'f16', microBatchTokens: 512 },
  identity: { model: 'eight', quantization: 'Q4_K_M', engine: 'llama.cpp@1' },
  depthTokens: 0,
};
