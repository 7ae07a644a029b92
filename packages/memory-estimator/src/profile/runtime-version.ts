import type { GpuBackend } from '../settings/estimate-settings.js';

/** A version of a runtime, part by part: `2.28.2` is `[2, 28, 2]`. */
export type VersionParts = readonly [number, number, number];

/** A runtime of LM Studio. */
export interface RuntimeName {
  /** `2.28.2`; `null` where the name has no version. */
  readonly version: string | null;
  /** `null` where the name does not state it. */
  readonly backend: GpuBackend | null;
}

/**
 * Reads a runtime's name, as LM Studio's logs and `lms runtime ls` print it
 * (`llama.cpp-win-x86_64-nvidia-cuda12-avx2@2.28.2`), or a version alone (`2.28.2`).
 */
export function parseRuntimeName(text: string): RuntimeName {
  const version = /(?:^|[@-])v?(\d+(?:\.\d+){0,2})$/.exec(text.trim())?.[1] ?? null;
  return { version, backend: backendOf(text.toLowerCase()) };
}

/** The name has the GPU's interface. In a runtime without a GPU, the name has only the CPU's instruction set. */
function backendOf(name: string): GpuBackend | null {
  // llama.cpp compiles its CUDA back end for ROCm.
  if (/cuda|rocm/.test(name)) return 'cuda';
  if (name.includes('metal')) return 'metal';
  if (name.includes('vulkan')) return 'vulkan';
  return /avx|advsimd|x86_64|arm64/.test(name) ? 'none' : null;
}

/**
 * The parts of a version. Parts that are left out are 0: `2` is `2.0.0`.
 *
 * @throws RangeError where the text is not a version.
 */
export function versionParts(text: string): VersionParts {
  const match = /^(\d+)(?:\.(\d+))?(?:\.(\d+))?$/.exec(text);
  if (match === null)
    throw new RangeError(`${JSON.stringify(text)} is not a runtime version such as 2.28.2.`);
  const [, major = '0', minor = '0', patch = '0'] = match;
  return [Number(major), Number(minor), Number(patch)];
}

/** Negative where `one` is older than `other`, 0 where both are equal. */
export function compareVersions(one: VersionParts, other: VersionParts): number {
  return one[0] - other[0] || one[1] - other[1] || one[2] - other[2];
}
