import type { WorldMachine } from '../world/world-machine.js';
import type { WorldModel } from '../world/world-model.js';

/** An installed engine (runtime extension), as LM Studio describes it. */
export interface Engine {
  readonly name: string;
  readonly version: string;
  readonly engine: 'llama.cpp' | 'mlx-llm';
  readonly formatName: 'GGUF' | 'MLX';
  /** Whether the engine uses the machine's GPUs. */
  readonly usesGpu: boolean;
}

/** The engines that are installed on a machine, and the selected one for each model format. */
export class Engines {
  readonly installed: readonly Engine[];
  readonly #selected = new Map<Engine['formatName'], Engine>();

  constructor(machine: WorldMachine, llamaVersion: string) {
    const { platform, architecture, gpus } = machine;
    const llama = (backend: keyof typeof BACKENDS): Engine => ({
      name: `llama.cpp-${SYSTEMS[platform]}-${architecture === 'ARM64' ? 'arm64' : 'x86_64'}-${BACKENDS[backend]}`,
      version: llamaVersion,
      engine: 'llama.cpp',
      formatName: 'GGUF',
      usesGpu: backend !== 'none',
    });
    const gpuPlatform = gpus[0]?.platform;
    this.installed = [
      ...(gpuPlatform === undefined ? [] : [llama(gpuPlatform)]),
      // On Macs, every llama.cpp engine uses the GPU.
      ...(gpuPlatform === 'Metal' ? [] : [llama('none')]),
      ...(platform === 'darwin' && architecture === 'ARM64' ? [MLX] : []),
    ];
    for (const engine of this.installed) {
      if (!this.#selected.has(engine.formatName)) this.#selected.set(engine.formatName, engine);
    }
  }

  /** The selected engines by model format. */
  get selections(): ReadonlyMap<Engine['formatName'], Engine> {
    return this.#selected;
  }

  /** Selects an engine; `null` where it is not installed, or does not load this format. */
  select(formatName: string, name: string, version: string): Engine | null {
    const found = this.installed.find(
      (engine) =>
        engine.name === name && engine.version === version && engine.formatName === formatName,
    );
    if (found) this.#selected.set(found.formatName, found);
    return found ?? null;
  }

  /** The engine that loads a model; `null` where none is installed for its format. */
  forModel({ format }: WorldModel): Engine | null {
    return this.#selected.get(format === 'gguf' ? 'GGUF' : 'MLX') ?? null;
  }
}

const SYSTEMS = { linux: 'linux', darwin: 'mac', win32: 'win' } as const;

const BACKENDS = {
  CUDA: 'nvidia-cuda12-avx2',
  ROCm: 'amd-rocm-avx2',
  Vulkan: 'vulkan-avx2',
  Metal: 'apple-metal-advsimd',
  none: 'avx2',
} as const;

// The name and the version are assumed.
const MLX: Engine = {
  name: 'mlx-llm-mac-arm64-apple-metal-advsimd',
  version: '1.11.0',
  engine: 'mlx-llm',
  formatName: 'MLX',
  usesGpu: true,
};
