// Completes a published result whose fields may be missing, unknown or wrong.

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
  [/\b(rtx|gtx|geforce|quadro|tesla|titan|gb10|[ahblvp]\d{1,3}\b)/i, 'CUDA'],
  [/radeon|\brx\b|instinct|\bmi\d+/i, 'Vulkan'],
  [/apple|^m\d\b/i, 'Metal'],
  [/arc|intel|adreno/i, 'Vulkan'],
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
  return {
    ...raw,
    model,
    device: backend === 'CPU' ? null : (device ?? 'unknown'),
    cpu: text(raw.cpu),
    backend,
    memoryBandwidthGBs: positive(raw.memoryBandwidthGBs),
    computeTflops: positive(raw.computeTflops),
    ramBandwidthGBs: positive(raw.ramBandwidthGBs),
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

function placeOf({ backend, gpuLayers, cpuMoeLayers, layers }) {
  if (backend === 'CPU' || gpuLayers === 0) return 'cpu';
  if (cpuMoeLayers !== null && cpuMoeLayers > 0) return 'experts on cpu';
  return gpuLayers !== null && typeof layers === 'number' && gpuLayers < layers ? 'partial' : 'gpu';
}
