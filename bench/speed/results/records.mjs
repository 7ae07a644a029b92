// Turns a line of data/speed/speed.jsonl into a question of @mai/performance-model. A file's header holds the exact shape of a
// model; a published result names the model only, so the shape is derived from its name and its number of parameters.
import { readFileSync } from 'node:fs';
import { generationOf, gpuSpeedOf, usualRamBandwidth } from '@mai/performance-model';
import { architectureOf, familyOf } from './architectures.mjs';
import { ramOf } from './ram-of-cpus.mjs';

const FILE = new URL('../../data/speed/speed.jsonl', import.meta.url);

/** Every result that is fit for use. */
export function readRecords() {
  return readFileSync(FILE, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ quality, class: place }) => quality !== 'C' && place !== 'split unknown');
}

/** Tokens of context, in the mean, while the answer of a question is generated. */
export function meanDepth({ depthTokens, generatedTokens }) {
  return depthTokens + generatedTokens / 2;
}

/** A model's answer to a question, for an engine that is slower than a current one by the factor `engine`. */
export function predictedSpeed(model, question, engine) {
  const { tokensPerSecond, low, high } =
    question.test === 'prompt'
      ? model.prompt(question, question.promptTokens)
      : model.decode({ ...question, depthTokens: meanDepth(question) });
  return { tokensPerSecond: tokensPerSecond / engine, low: low / engine, high: high / engine };
}

/** The device that a result is about. */
export function deviceOf({ device, cpu }) {
  return device ?? cpu ?? 'unknown';
}

/** The results of each device. */
export function byDevice(tests) {
  const groups = new Map();
  for (const test of tests) {
    const device = deviceOf(test.record);
    groups.set(device, [...(groups.get(device) ?? []), test]);
  }
  return [...groups.values()];
}

const BACKENDS = {
  CUDA: 'cuda',
  Vulkan: 'vulkan',
  'Vulkan/CUDA': 'vulkan',
  SYCL: 'vulkan',
  ROCm: 'rocm',
  Metal: 'metal',
  MLX: 'mlx',
};
/** Layers of models by billions of parameters, where a result does not name them. */
const USUAL_LAYERS = [
  [0.5, 20],
  [1.5, 24],
  [3, 28],
  [8, 34],
  [14, 42],
  [32, 56],
  [70, 80],
  [120, 48],
  [300, 60],
];
const GIGA = 1e9;
const TERA = 1e12;
const LARGE = 130 * GIGA;
const DEFAULT_MICRO_BATCH = 512;
const DEFAULT_GENERATED = 128;
/** Share of the layers on the GPU where a result says only that a part of them is. */
const USUAL_OFFLOAD = 0.5;

/** @returns the fields of a `SpeedQuestion`, and what was tested */
export function questionOf(record) {
  const shape = shapeOf(record);
  // A build for GPUs keeps weights for the GPU in RAM, with 0 layers on the GPU as well: llama.cpp, make_cpu_buft_list.
  const isCpu = record.backend === 'CPU' || record.device === null;
  const table = record.device === null ? null : gpuSpeedOf(record.device);
  const bandwidth =
    record.memoryBandwidthGBs ??
    (table === null ? usualBandwidth(record) : table.memoryBandwidth / GIGA);
  // Without a GPU in the result, the bandwidth of the device is the one of RAM.
  const ofDevice = isCpu && record.device === null ? record.memoryBandwidthGBs : null;
  const knownRam = record.ramBandwidthGBs ?? ofDevice ?? ramOf(record.cpu);
  const usualRam = record.device === null ? null : usualRamBandwidth(record.device);
  return {
    shape,
    machine: {
      gpu: isCpu
        ? null
        : {
            backend: BACKENDS[record.backend],
            generation: generationOf(record.device ?? ''),
            memoryBandwidth: bandwidth * GIGA,
            operationsPerSecond: table?.operationsPerSecond ?? operationsOf(record),
            linkBandwidth: table?.linkBandwidth ?? null,
          },
      ramBandwidth: knownRam === null ? usualRam : knownRam * GIGA,
      scalarThreads: null,
    },
    placement: {
      offloadRatio: offloadRatioOf(record, shape),
      // A dense model has no experts that could stay in RAM.
      cpuExpertRatio:
        record.class === 'experts on cpu' && shape.expertBytes > 0
          ? cpuExpertRatioOf(record, shape)
          : 0,
      kvCacheType: record.kvType ?? 'f16',
      microBatchTokens: Math.min(
        record.ubatch ?? DEFAULT_MICRO_BATCH,
        record.tokens || DEFAULT_MICRO_BATCH,
      ),
    },
    identity: {
      model: modelOf(record),
      quantization: record.quant ?? '',
      engine: `${record.engine} ${record.backend}@${record.build ?? ''}`,
    },
    depthTokens: record.depth ?? 0,
    ...(record.test === 'pp'
      ? { test: 'prompt', promptTokens: record.tokens || DEFAULT_MICRO_BATCH }
      : { test: 'decode', generatedTokens: record.tokens || DEFAULT_GENERATED }),
  };
}

/** GB per second of a GPU that is not known. Those in processors use RAM, usually two channels of DDR5-5000. */
function usualBandwidth({ device, cpu, ramBandwidthGBs }) {
  return isIntegrated(device) ? (ramBandwidthGBs ?? ramOf(cpu) ?? 80) : 400;
}

/** Whether a GPU is a part of a processor, by its name. */
export function isIntegrated(device) {
  return /\b\d{3}m\b|radeon( vega \d+)? graphics$|\b(iris|uhd|hd graphics|adreno|mali|tegra)|arc (1\d\d[tv]|graphics)/i.test(
    device,
  );
}

/** Sources write the name of a model, and its number of parameters, in several ways. */
function modelOf({ model, params, activeParams }) {
  const size = Math.round(Math.log(params) / 0.04);
  const activeSize = Math.round(Math.log(activeParams) / 0.08);
  return `${familyOf(model, params)} ${size}/${activeSize}`;
}

/**
 * Results name the operations of professional NVIDIA GPUs up to Ada at half precision: twice a quarter of the 8-bit operations,
 * which is what the table of @mai/performance-model counts.
 */
function operationsOf({ device, computeTflops }) {
  if (computeTflops === null) return null;
  const isProfessional = /\b(RTX A\d{4}|\d{4} Ada|A\d{1,3}G?|H\d{3}|L\d{1,2}S?)\b/i.test(device);
  return (isProfessional ? computeTflops / 2 : computeTflops) * TERA;
}

function offloadRatioOf({ class: place, gpuLayers }, { layers }) {
  if (place === 'cpu' || gpuLayers === 0) return 0;
  if (place !== 'partial' && place !== 'experts on cpu') return 1;
  if (gpuLayers === null) return place === 'partial' ? USUAL_OFFLOAD : 1;
  // With experts in RAM, all layers but the output layer count as all layers, because sources count `ngl` and layers in different
  // ways.
  if (place === 'experts on cpu' && gpuLayers >= layers) return 1;
  return Math.min(1, gpuLayers / (layers + 1));
}

/** `cpuMoeLayers` are of the layers on the GPU: in all results where both are given, the other layers are in RAM as a whole. */
function cpuExpertRatioOf({ cpuMoeLayers, gpuLayers }, { layers }) {
  const onGpu = Math.max(1, Math.min(layers, gpuLayers ?? layers));
  return Math.min(1, (cpuMoeLayers ?? layers) / onGpu);
}

function shapeOf(record) {
  const name = record.model.toLowerCase();
  const layers = record.layers ?? usualLayers(record.params / GIGA);
  const weightBytes = record.sizeBytes ?? (record.params * bitsOf(record.quant)) / 8;
  const active = activeOf(name, record);
  const isMixture = active < 0.35 * record.params;
  const { kvBytesOfLayer, queryValuesOfLayer, tableParameters, usedExperts } = architectureOf(
    name,
    record.params,
    active,
    layers,
  );
  const table = Math.min(tableParameters, active / 3);
  // active = others + used x experts, and parameters = others + experts.
  const experts = isMixture
    ? Math.min(0.97, (record.params - active) / (1 - usedExperts) / record.params) * record.params
    : 0;
  const activeExperts = Math.min(usedExperts * experts, 0.9 * (active - table));
  const otherBytes = ((record.params - experts) * otherBitsOf(record, weightBytes, isMixture)) / 8;
  const expertBytes = isMixture ? weightBytes - Math.min(otherBytes, weightBytes / 2) : 0;
  const bytesOfOther = (weightBytes - expertBytes) / (record.params - experts);
  const activeExpertBytes = isMixture ? (activeExperts / experts) * expertBytes : 0;
  return {
    parameters: record.params,
    activeParameters: active - table,
    layers,
    weightBytes,
    activeWeightBytes: activeExpertBytes + (active - table - activeExperts) * bytesOfOther,
    expertBytes,
    activeExpertBytes,
    kvBytesPerToken: layers * kvBytesOfLayer,
    queryValuesPerToken: layers * queryValuesOfLayer,
  };
}

/** Bits of a parameter outside of the experts: they are quantized less than the experts. */
function otherBitsOf({ quant, params }, weightBytes, isMixture) {
  const mean = (8 * weightBytes) / params;
  if (!isMixture) return mean;
  if (/^(bf|fp?)16$/i.test(quant ?? '')) return 16;
  if (/xl|mxfp4/i.test(quant ?? '')) return Math.max(mean, 8.5);
  return Math.max(mean, Math.min(mean + 1, 8.5));
}

/** Gemma's E models keep a part of their parameters in tables that are looked up, not multiplied. */
function activeOf(name, { params, activeParams }) {
  if (name.includes('e2b')) return Math.min(activeParams, 0.42 * params);
  if (name.includes('e4b')) return Math.min(activeParams, 0.52 * params);
  // A model of this size that names no active parameters is a mixture of experts.
  return activeParams >= 0.99 * params && params > LARGE ? 0.1 * params : activeParams;
}

function usualLayers(billions) {
  const after = USUAL_LAYERS.findIndex(([size]) => size >= billions);
  if (after === 0) return USUAL_LAYERS[0][1];
  if (after === -1) return USUAL_LAYERS.at(-1)[1];
  const [[size0, layers0], [size1, layers1]] = [USUAL_LAYERS[after - 1], USUAL_LAYERS[after]];
  const share = Math.log(billions / size0) / Math.log(size1 / size0);
  return layers0 + share * (layers1 - layers0);
}

/**
 * Bits per weight by quantization. Sources: llama.cpp, tools/quantize/README.md (Llama 3.1 8B); Q5_0 and Q5_1: the sizes of Llama 3 8B in pull
 * request 7716; TQ: block sizes in ggml-common.h.
 */
const BITS = {
  BF16: 16,
  F16: 16,
  Q8_K: 8.5,
  Q8_0: 8.5,
  Q6_K: 6.56,
  Q5_K_M: 5.69,
  Q5_K: 5.6,
  Q5_0: 5.57,
  Q5_1: 6.03,
  Q4_K_M: 4.85,
  Q4_K_S: 4.58,
  Q4_K: 4.8,
  Q4_0: 4.55,
  Q4_1: 5,
  Q3_K: 3.91,
  Q2_K: 3.35,
  IQ4_XS: 4.32,
  IQ4_NL: 4.56,
  IQ3_XXS: 3.3,
  IQ3: 3.6,
  IQ2_XXS: 2.4,
  IQ2: 2.7,
  IQ1_M: 2.15,
  IQ1: 2,
  TQ2: 2.06,
  TQ1: 1.69,
  MXFP4: 4.4,
};

function bitsOf(quantization) {
  const name = (quantization ?? '').toUpperCase();
  const exact = /(\d+(?:\.\d+)?) ?BPW/.exec(name);
  if (Number(exact?.[1]) > 0) return Number(exact[1]);
  const mlx = /(?<!\d)(\d)[- ]?BIT/.exec(name);
  if (mlx !== null) return Number(mlx[1]) + 0.5;
  const known = Object.entries(BITS).find(([type]) => name.includes(type));
  if (known !== undefined) return known[1];
  // `FP16`, `FP8`, `INT8`, `W4A16`, `16-bit`.
  const whole = /^(?:FP|F|INT|W)(4|8|16|32)(?!\d)|(?<!\d)(?:16|32)(?=[- ]?BIT)/.exec(name);
  return whole === null ? 4.9 : Number(whole[1] ?? whole[0]);
}
