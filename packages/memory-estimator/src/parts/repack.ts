import type { GgufTensor } from '../gguf/gguf-header.js';
import type { CpuKernels, CpuKind, EngineRules } from '../settings/estimate-settings.js';

/**
 * The types that are repacked. The number of rows must be a multiple of the value. Source:
 * ggml/src/ggml-cpu/repack.cpp, v0.5.0.
 */
const REPACKED: Readonly<Record<CpuKernels, Readonly<Record<string, number>>>> = {
  avx2: { Q4_0: 8, Q4_K: 8, IQ4_NL: 8, MXFP4: 8 },
  neon: { Q4_0: 4, Q4_K: 8, Q5_K: 8, Q6_K: 8, Q8_0: 4, IQ4_NL: 4, MXFP4: 4, Q1_0: 4 },
  none: {},
};

/**
 * The kernels for a kind of CPU. LM Studio's engines for x86-64 are built for AVX2.
 *
 * @param built The kernels that the engine was built with. They count where `cpu` is `auto`.
 */
export function repackOf(
  cpu: CpuKind,
  built: EngineRules['cpuKernels'],
  arch: string = process.arch,
): CpuKernels {
  if (cpu === 'avx2') return 'avx2';
  if (cpu === 'generic') return 'none';
  if (built !== 'machine') return built;
  if (arch === 'x64') return 'avx2';
  return arch === 'arm64' ? 'neon' : 'none';
}

/** Whether a weight on the CPU is copied into a layout for its kernels: plain matrices, and experts. */
export function isRepacked(tensor: GgufTensor, isExpert: boolean, kernels: CpuKernels): boolean {
  const multiple = REPACKED[kernels][tensor.typeName];
  if (multiple === undefined) return false;
  const [, rows = 1, depth = 1, more = 1] = tensor.shape;
  if (rows % multiple !== 0 || more > 1) return false;
  return isExpert ? depth > 1 : depth === 1 && rows > 1;
}
