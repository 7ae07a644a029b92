// Completes a published result whose fields may be missing, unknown or wrong.
import { gpuSpeedOf } from '@mai/performance-model';
import { numberOf } from '../../yardstick/answer-lines.mjs';
import { ramOf } from './ram-of-cpus.mjs';
import { isIntegrated } from './records.mjs';

const BACKENDS = ['CUDA', 'Vulkan', 'Vulkan/CUDA', 'SYCL', 'ROCm', 'Metal', 'MLX', 'CPU'];
const OTHER_BACKENDS = [
  [/cuda|nvidia/i, 'CUDA'],
  [/rocm|hip/i, 'ROCm'],
  [/mlx/i, 'MLX'],
  [/metal|mps/i, 'Metal'],
  [/cpu|blas/i, 'CPU'],
  [/vulkan|sycl|opencl|openvino|cann|musa/i, 'Vulkan'],
];
const DEVICES = [
  // `Xeon CPU E5-2680 v4`, but not `RTX 3090 + CPU`.
  [/^(?!.*(\b[rg]tx\b|geforce|quadro|tesla|radeon|\brx\b|gpu)).*\bcpu\b/i, 'CPU'],
  [/\b(rtx|gtx|geforce|quadro|tesla|titan|jetson|orin|dgx|g[bh]\d|[ahblvpt]\d{1,3}\b)/i, 'CUDA'],
  [/radeon|\brx\b|\bvega|instinct|\bmi\d+|\bw\d{4}\b|ryzen ai max|strix|\d{3}m$/i, 'Vulkan'],
  [/apple|^m\d\b/i, 'Metal'],
  [
    /epyc|xeon|threadripper|ryzen|core i|core ultra|celeron|pentium|\bn\d{2,3}$|raspberry|^pi \d|cortex/i,
    'CPU',
  ],
  [/arc|intel|iris|uhd|adreno|snapdragon|mtt/i, 'Vulkan'],
];

const CACHE_TYPES = ['f32', 'f16', 'bf16', 'q8_0', 'q5_1', 'q5_0', 'q4_1', 'q4_0', 'iq4_nl'];
const GIGA = 1e9;
const USUAL_BITS = 4.85;
const USUAL_PARAMETERS = 8 * GIGA;
/**
 * Mixtures of experts whose names do not tell the active parameters: billions of all parameters and of those that work on a token. From the
 * models' cards.
 */
const MIXTURES = [
  [/gpt-?oss.*120b/i, 116.8, 5.1],
  [/gpt-?oss.*20b/i, 20.9, 3.6],
  [/glm-?4\.[5-7]-?(air|v)/i, 110.5, 12],
  [/glm-?4\.7-?flash/i, 29.9, 3],
  [/qwen3-?(coder-?)?next/i, 79.7, 3.9],
  [/deepseek.*v2-?lite/i, 15.7, 2.7],
  [/deepseek-?(r1.*671b|v3)/i, 671, 37],
  [/kimi-?k2/i, 1026, 32],
  [/minimax-?m2/i, 229, 10],
];
/** A name of another size is another model, such as `DeepSeek-R1-Distill-Qwen-7B`. */
const SAME_SIZE = 0.15;
/** Mixtral 8x7B has 46.7 billion parameters and uses 12.9, because its experts share everything else. */
const SHARE_OF_EXPERTS = 46.7 / 56;
const SHARE_OF_TWO = 12.9 / 56;

/** From the least to the most of what models and machines have. Other figures count as not known. */
const RANGES = {
  params: [1e5, 1e14],
  activeParams: [1e5, 1e14],
  sizeBytes: [1e4, 1e14],
  layers: [1, 1e4],
  memoryBandwidthGBs: [0.1, 1e5],
  ramBandwidthGBs: [0.1, 1e5],
  computeTflops: [1e-3, 1e6],
  ubatch: [1, 1e6],
};
/** The most tokens and layers. */
const COUNT_MAX = 1e9;

/** A figure of a line; null where it is not known. */
function figureIn(raw, field) {
  const figure = numberOf(raw[field]);
  return figure !== null && isIn(RANGES[field], figure) ? figure : null;
}

function isIn([least, most], value) {
  return value >= least && value <= most;
}

/** A result in which each field has the type that `questionOf` expects. */
export function recordOf(raw) {
  const text = (value) => (typeof value === 'string' && value !== '' ? value : null);
  const count = (value) => {
    const number = numberOf(value);
    return number !== null && number >= 0 && number <= COUNT_MAX ? Math.floor(number) : null;
  };
  const model = text(raw.model) ?? '';
  const device = text(raw.device);
  const sizeBytes = figureIn(raw, 'sizeBytes');
  const named = sizesOf(model);
  const params =
    figureIn(raw, 'params') ??
    named.all ??
    (sizeBytes === null ? USUAL_PARAMETERS : (sizeBytes * 8) / USUAL_BITS);
  const layers = figureIn(raw, 'layers');
  const gpuLayers = count(raw.gpuLayers);
  const cpuMoeLayers = count(raw.cpuMoeLayers);
  const backend = backendOf(text(raw.backend), device);
  const isOnCpu = backend === 'CPU';
  // Without a GPU, `memoryBandwidthGBs` is the bandwidth of RAM. Beside a GPU that is not used, it is that GPU's.
  const hasUnusedGpu = isOnCpu && device !== null && backendOf(null, device) !== 'CPU';
  const bandwidth = hasUnusedGpu ? null : figureIn(raw, 'memoryBandwidthGBs');
  // Some name the processor as the device.
  const cpu = text(raw.cpu) ?? (isOnCpu ? device : null);
  return {
    ...raw,
    model,
    device: isOnCpu ? null : (device ?? 'unknown'),
    cpu,
    backend,
    memoryBandwidthGBs: bandwidth,
    computeTflops: figureIn(raw, 'computeTflops'),
    ramBandwidthGBs: figureIn(raw, 'ramBandwidthGBs') ?? (isOnCpu ? bandwidth : null),
    quant: text(raw.quant),
    sizeBytes,
    params,
    activeParams: Math.min(params, figureIn(raw, 'activeParams') ?? named.active ?? params),
    layers,
    gpuLayers,
    cpuMoeLayers,
    kvType: CACHE_TYPES.find((type) => type === text(raw.kvType)?.toLowerCase()) ?? null,
    // llama-bench writes `pp512` and `tg128`.
    test: /^(pp|prompt)/i.test(raw.test) ? 'pp' : 'tg',
    tokens: count(raw.tokens) ?? count(/^(?:pp|tg)(\d+)$/i.exec(raw.test)?.[1]),
    depth: count(raw.depth),
    ubatch: figureIn(raw, 'ubatch'),
    class: text(raw.class) ?? placeOf({ backend, gpuLayers, cpuMoeLayers, layers }),
  };
}

/** A card that neither the line nor the table of GPUs knows may be this many times faster or slower than the usual one. */
const UNKNOWN_GPU = 4;
/** As `UNKNOWN_GPU`, for RAM. */
const UNKNOWN_RAM = 2;
/** A model without a size may have this many times more or fewer parameters than 8 billion. */
const UNKNOWN_MODEL = 8;
/** A file of a known size and an unknown number of parameters may be this many times faster or slower. */
const UNKNOWN_PARAMETERS = 1.5;

/** The factor by which fields that are not known widen the interval of a prediction on each side; 1 where the usual fields are known. */
export function doubtOf(raw, record, isMachineSeen) {
  const { device, cpu, model, sizeBytes, memoryBandwidthGBs } = record;
  const ram = record.ramBandwidthGBs ?? ramOf(cpu);
  const ofDevice = memoryBandwidthGBs ?? (device === null ? null : gpuSpeedOf(device));
  // A GPU in a processor uses RAM.
  const usual = device === null || isIntegrated(device) ? UNKNOWN_RAM : UNKNOWN_GPU;
  const ofMachine = (ofDevice ?? (device === null ? ram : null)) === null ? usual : 1;
  const hasParameters = figureIn(raw, 'params') !== null || sizesOf(model).all !== null;
  const ofModel = hasParameters ? 1 : sizeBytes === null ? UNKNOWN_MODEL : UNKNOWN_PARAMETERS;
  // A result of the same machine removes a part of the doubt.
  return ofModel * (isMachineSeen ? Math.sqrt(ofMachine) : ofMachine);
}

/** All and active parameters of a model by its name; null where they are not known. */
function sizesOf(model) {
  const named = namedSizes(model);
  if (named.active !== null) return named;
  const isOfSize = (billions) =>
    named.all === null || Math.abs(Math.log(named.all / GIGA / billions)) < SAME_SIZE;
  const found = MIXTURES.find(([pattern, all]) => pattern.test(model) && isOfSize(all));
  if (found === undefined) return named;
  return { all: named.all ?? found[1] * GIGA, active: found[2] * GIGA };
}

/** Parameters in the name of a model: `8B`, `270M`, `30B-A3B`, and `8x7B`, where two of eight experts work on a token. */
function namedSizes(model) {
  const all = sizeIn(/(?:^|[^a-z\d.])(\d+(?:\.\d+)?)([bm])(?![a-z\d])/i.exec(model));
  const active = sizeIn(/a(\d+(?:\.\d+)?)([bm])(?![a-z\d])/i.exec(model));
  const [, experts, each] = /(\d+)x(\d+(?:\.\d+)?)b(?![a-z\d])/i.exec(model) ?? [];
  if (experts === undefined) return { all, active };
  const sum = Number(experts) * Number(each) * GIGA;
  return !isIn(RANGES.params, sum)
    ? { all, active }
    : { all: SHARE_OF_EXPERTS * sum, active: SHARE_OF_TWO * sum };
}

function sizeIn(match) {
  if (match === null) return null;
  const parameters = Number(match[1]) * (/b/i.test(match[2]) ? GIGA : GIGA / 1000);
  return isIn(RANGES.params, parameters) ? parameters : null;
}

function backendOf(name, device) {
  if (BACKENDS.includes(name)) return name;
  const find = (list, value) => list.find(([pattern]) => pattern.test(value))?.[1] ?? null;
  return (
    find(OTHER_BACKENDS, name ?? '') ??
    find(DEVICES, device ?? '') ??
    (device === null ? 'CPU' : 'CUDA')
  );
}

function placeOf({ backend, gpuLayers, cpuMoeLayers, layers }) {
  if (backend === 'CPU' || gpuLayers === 0) return 'cpu';
  if (cpuMoeLayers !== null && cpuMoeLayers > 0) return 'experts on cpu';
  return gpuLayers !== null && layers !== null && gpuLayers < layers ? 'partial' : 'gpu';
}
