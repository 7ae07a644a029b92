import type { GgufTensor } from '../gguf/gguf-header.js';
import type { CpuKernels, CpuKind, EngineRules } from '../settings/estimate-settings.js';

/**
 * The types that are repacked. The number of rows must be a multiple of the value. Source:
 * ggml/src/ggml-cpu/repack.cpp, v0.5.0. In 2025 there were no kernels for MXFP4 (llama.cpp pull request 19738 of 2026-02-19
 * added them), and none for quantizations of the K family on ARM (17494 of 2025-11-25).
 */
const REPACKED: Readonly<Record<CpuKernels, Readonly<Record<string, number>>>> = {
  avx2: { Q4_0: 8, Q4_K: 8, IQ4_NL: 8, MXFP4: 8 },
  neon: { Q4_0: 4, Q4_K: 8, Q5_K: 8, Q6_K: 8, Q8_0: 4, IQ4_NL: 4, MXFP4: 4, Q1_0: 4 },
  'avx2-2025': { Q4_0: 8, Q4_K: 8, IQ4_NL: 8 },
  'neon-2025': { Q4_0: 4, IQ4_NL: 4 },
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
  const isOld = built === 'machine-2025';
  if (cpu === 'avx2') return isOld ? 'avx2-2025' : 'avx2';
  if (cpu === 'generic') return 'none';
  if (built !== 'machine' && !isOld) return built;
  if (arch === 'x64') return isOld ? 'avx2-2025' : 'avx2';
  if (arch === 'arm64') return isOld ? 'neon-2025' : 'neon';
  return 'none';
}

/** Whether a weight on the CPU is copied into a layout for its kernels: plain matrices, and experts. */
export function isRepacked(tensor: GgufTensor, isExpert: boolean, kernels: CpuKernels): boolean {
  const multiple = REPACKED[kernels][tensor.typeName];
  if (multiple === undefined) return false;
  const [, rows = 1, depth = 1, more = 1] = tensor.shape;
  if (rows % multiple !== 0 || more > 1) return false;
  return isExpert ? depth > 1 : depth === 1 && rows > 1;
}
