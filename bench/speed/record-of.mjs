// Completes a published result whose fields may be missing, unknown or wrong.
import { gpuSpeedOf } from '@mai/performance-model';
import { isIntegrated } from './records.mjs';

const BACKENDS = ['CUDA', 'Vulkan', 'ROCm', 'Metal', 'MLX', 'CPU'];
const OTHER_BACKENDS = [
  [/cuda|nvidia/i, 'CUDA'],
  [/rocm|hip/i, 'ROCm'],
  [/mlx/i, 'MLX'],
  [/metal|mps/i, 'Metal'],
  [/cpu|blas/i, 'CPU'],
  [/vulkan|sycl|opencl|openvino|cann|musa/i, 'Vulkan'],
];
const DEVICES = [
  [/\b(rtx|gtx|geforce|quadro|tesla|titan|jetson|orin|dgx|g[bh]\d|[ahblvpt]\d{1,3}\b)/i, 'CUDA'],
  [/radeon|\brx\b|\bvega|instinct|\bmi\d+|\bw\d{4}\b|ryzen ai max|strix|\d{3}m$/i, 'Vulkan'],
  [/apple|^m\d\b/i, 'Metal'],
  [
    /epyc|xeon|threadripper|ryzen|core i|core ultra|celeron|pentium|\bn\d{2,3}$|raspberry|^pi \d|cortex/i,
    'CPU',
  ],
  [/arc|intel|iris|uhd|adreno|snapdragon|mtt/i, 'Vulkan'],
];

/**
 * Peak bandwidth of the RAM of processors, in GB per second: all channels at the highest official speed, or the one speed that is soldered.
 * From the data sheets of AMD, Intel, Qualcomm and Raspberry Pi. Desktop processors are left out: their RAM is about
 * the usual one.
 */
const RAM_OF_CPUS = [
  [/epyc 9\d\d5/i, 614],
  [/epyc 9\d\d4/i, 460.8],
  [/epyc 8\d\d4/i, 230.4],
  [/epyc (4\d\d[45])/i, 83.2],
  [/epyc 7\w\w[23]/i, 204.8],
  [/epyc 7\w\w1/i, 170.6],
  [/threadripper pro 9/i, 409.6],
  [/threadripper pro 7/i, 332.8],
  [/threadripper pro [35]/i, 204.8],
  [/threadripper 9/i, 204.8],
  [/threadripper 7/i, 166.4],
  [/threadripper/i, 102.4],
  [/xeon.* [34568]4\d\d/i, 307.2],
  [/xeon.* [34568]5\d\d/i, 358.4],
  [/xeon.* [34568]3\d\d/i, 204.8],
  [/xeon.* [34568][12]\d\d/i, 140.8],
  [/ryzen ai max/i, 256],
  [/core ultra \d 2\d\dv/i, 136.5],
  [/snapdragon x2/i, 152],
  [/snapdragon x/i, 135],
  [/\bn(9[57]|1[05]0|200|30[05]|355)\b/i, 38.4],
  [/raspberry pi 5|^pi 5|bcm2712/i, 17.1],
  [/raspberry pi 4|^pi 4|bcm2711/i, 12.8],
];
const CACHE_TYPES = ['f32', 'f16', 'bf16', 'q8_0', 'q5_1', 'q5_0', 'q4_1', 'q4_0', 'iq4_nl'];
const GIGA = 1e9;
const USUAL_BITS = 4.85;
const USUAL_PARAMETERS = 8 * GIGA;
/** Mixtral 8x7B has 46.7 billion parameters and uses 12.9, because its experts share everything else. */
const SHARE_OF_EXPERTS = 46.7 / 56;
const SHARE_OF_TWO = 12.9 / 56;

/** A result in which each field has the type that `questionOf` expects. */
export function recordOf(raw) {
  const text = (value) => (typeof value === 'string' && value !== '' ? value : null);
  const positive = (value) =>
    typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : null;
  const count = (value) =>
    typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null;
  const model = text(raw.model) ?? '';
  const device = text(raw.device);
  const sizeBytes = positive(raw.sizeBytes);
  const named = namedSizes(model);
  const params =
    positive(raw.params) ??
    named.all ??
    (sizeBytes === null ? USUAL_PARAMETERS : (sizeBytes * 8) / USUAL_BITS);
  const gpuLayers = count(raw.gpuLayers);
  const cpuMoeLayers = count(raw.cpuMoeLayers);
  const backend = backendOf(text(raw.backend), device);
  const isOnCpu = backend === 'CPU';
  // Without a GPU, `memoryBandwidthGBs` is the bandwidth of RAM. Beside a GPU that is not used, it is that GPU's.
  const hasUnusedGpu = isOnCpu && device !== null && backendOf(null, device) !== 'CPU';
  const bandwidth = hasUnusedGpu ? null : positive(raw.memoryBandwidthGBs);
  // Some name the processor as the device.
  const cpu = text(raw.cpu) ?? (isOnCpu ? device : null);
  return {
    ...raw,
    model,
    device: isOnCpu ? null : (device ?? 'unknown'),
    cpu,
    backend,
    memoryBandwidthGBs: bandwidth,
    computeTflops: positive(raw.computeTflops),
    ramBandwidthGBs: positive(raw.ramBandwidthGBs) ?? (isOnCpu ? bandwidth : null) ?? ramOf(cpu),
    quant: text(raw.quant),
    sizeBytes,
    params,
    activeParams: Math.min(params, positive(raw.activeParams) ?? named.active ?? params),
    layers: positive(raw.layers),
    gpuLayers,
    cpuMoeLayers,
    kvType: CACHE_TYPES.includes(raw.kvType) ? raw.kvType : null,
    test: raw.test === 'pp' ? 'pp' : 'tg',
    tokens: count(raw.tokens),
    depth: count(raw.depth),
    ubatch: positive(raw.ubatch),
    class: text(raw.class) ?? placeOf({ backend, gpuLayers, cpuMoeLayers, layers: raw.layers }),
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
  const { device, model, sizeBytes, memoryBandwidthGBs, ramBandwidthGBs } = record;
  const ofDevice = memoryBandwidthGBs ?? (device === null ? null : gpuSpeedOf(device));
  // A GPU in a processor uses RAM.
  const usual = device === null || isIntegrated(device) ? UNKNOWN_RAM : UNKNOWN_GPU;
  const ofMachine = (ofDevice ?? (device === null ? ramBandwidthGBs : null)) === null ? usual : 1;
  const hasParameters = raw.params > 0 || namedSizes(model).all !== null;
  const ofModel = hasParameters ? 1 : sizeBytes === null ? UNKNOWN_MODEL : UNKNOWN_PARAMETERS;
  // A result of the machine ends a part of the doubt about it.
  return ofModel * (isMachineSeen ? Math.sqrt(ofMachine) : ofMachine);
}

/** Parameters in the name of a model: `8B`, `270M`, `30B-A3B`, and `8x7B`, where two of eight experts work on a token. */
function namedSizes(model) {
  const all = sizeIn(/(?:^|[^a-z\d.])(\d+(?:\.\d+)?)([bm])(?![a-z\d])/i.exec(model));
  const active = sizeIn(/a(\d+(?:\.\d+)?)([bm])(?![a-z\d])/i.exec(model));
  const [, experts, each] = /(\d+)x(\d+(?:\.\d+)?)b(?![a-z\d])/i.exec(model) ?? [];
  if (experts === undefined) return { all, active };
  const sum = Number(experts) * Number(each) * GIGA;
  return sum === 0 ? { all, active } : { all: SHARE_OF_EXPERTS * sum, active: SHARE_OF_TWO * sum };
}

function sizeIn(match) {
  if (match === null || Number(match[1]) === 0) return null;
  return Number(match[1]) * (/b/i.test(match[2]) ? GIGA : GIGA / 1000);
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

/** GB per second; null where the processor is not known. Apple's processors share the memory of their GPU. */
function ramOf(cpu) {
  if (cpu === null) return null;
  const found = RAM_OF_CPUS.find(([pattern]) => pattern.test(cpu));
  if (found !== undefined) return found[1];
  const apple = /apple m\d|^m\d/i.test(cpu) ? gpuSpeedOf(cpu) : null;
  return apple === null ? null : apple.memoryBandwidth / GIGA;
}

function placeOf({ backend, gpuLayers, cpuMoeLayers, layers }) {
  if (backend === 'CPU' || gpuLayers === 0) return 'cpu';
  if (cpuMoeLayers !== null && cpuMoeLayers > 0) return 'experts on cpu';
  return gpuLayers !== null && typeof layers === 'number' && gpuLayers < layers ? 'partial' : 'gpu';
}
