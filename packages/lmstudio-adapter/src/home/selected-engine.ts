import { toFormat } from '../model-format.js';

/** The hardware interface that an engine was built for. */
export type EngineBackend = 'cuda' | 'rocm' | 'vulkan' | 'metal' | 'cpu';

/** The engine that LM Studio uses for a model format. */
export interface SelectedEngine {
  /** `gguf`, `mlx`, ... */
  readonly format: string;
  /** E.g. `llama.cpp-win-x86_64-nvidia-cuda12-avx2`. */
  readonly name: string;
  /** Version of the runtime, e.g. `2.28.2`. */
  readonly version: string;
  /** Read from `name`; `null` where `name` contains no known backend. */
  readonly backend: EngineBackend | null;
}

/**
 * A `SelectedEngine` from LM Studio's name for the model format, and the name and version of the
 * engine.
 */
export function toSelectedEngine(format: string, name: string, version: string): SelectedEngine {
  return { format: toFormat(format), name, version, backend: backendIn(name) };
}

const BACKENDS = ['cuda', 'rocm', 'vulkan', 'metal'] as const;

function backendIn(name: string): EngineBackend | null {
  const lower = name.toLowerCase();
  const found = BACKENDS.find((backend) => lower.includes(backend));
  // The name of an engine for the CPU has only the platform and the instruction set:
  // `llama.cpp-linux-x86_64-avx2`.
  return found ?? (/^llama\.cpp-\w+-[\w]+-(?:avx2?|advsimd)$/.test(lower) ? 'cpu' : null);
}
