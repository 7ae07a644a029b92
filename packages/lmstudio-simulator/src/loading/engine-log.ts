import type { LoadSettings } from '../memory/load-settings.js';
import type { Buffers, Placement } from '../memory/memory.js';
import type { ModelOnDevice } from '../runtime/device.js';

/**
 * The lines about memory that llama.cpp prints during a load, with the figures of the simulated load. The texts are
 * from llama.cpp's source. Invented: LM Studio sends one event for each line, after the load.
 */
export function loadLines(
  { model, device }: ModelOnDevice,
  settings: LoadSettings,
  { offloadRatio, bytes, gpu, ram, projectorOnGpu }: Placement,
): readonly string[] {
  if (model.format !== 'gguf') return [];
  const layers = model.geometry.layers + 1;
  const platform = device.machine.gpus[0]?.platform ?? null;
  // llama.cpp calls ROCm devices ROCm0, and Metal's single device Metal.
  const gpuName = platform === null ? '' : platform === 'Metal' ? 'Metal' : `${platform}0`;
  const cpuWeights = settings.tryMmap ? 'CPU_Mapped' : 'CPU';
  const sides = (part: keyof Buffers, cpuName: string): readonly (readonly [string, number])[] => [
    [cpuName, ram[part]],
    [gpuName, gpu[part]],
  ];
  const buffers = (
    source: string,
    kind: string,
    entries: readonly (readonly [string, number])[],
  ): readonly string[] =>
    entries
      .filter(([, size]) => size > 0)
      .map(
        ([name, size]) =>
          `${source}: ${name.padStart(12)} ${kind} buffer size = ${mib(size).padStart(8)} MiB`,
      );
  return [
    `load_tensors: offloaded ${Math.round(offloadRatio * layers)}/${layers} layers to GPU`,
    ...buffers('load_tensors', 'model', sides('weights', cpuWeights)),
    `llama_context: n_seq_max     = ${settings.parallelSequences}`,
    `llama_context: n_ctx         = ${settings.contextLengthTokens}`,
    `llama_context: n_batch       = ${settings.evalBatchTokens}`,
    `llama_context: n_ubatch      = ${settings.physicalBatchTokens}`,
    `llama_context: flash_attn    = ${settings.flashAttention ? 'enabled' : 'disabled'}`,
    `llama_context: kv_unified    = ${String(settings.unifiedKvCache)}`,
    ...buffers('llama_kv_cache', 'KV', sides('context', 'CPU')),
    ...buffers('llama_context', 'compute', sides('compute', 'CPU')),
    ...(settings.promptCacheBytes > 0
      ? [`prompt cache is enabled, size limit: ${settings.promptCacheBytes / 2 ** 20} MiB`]
      : []),
    ...(bytes.projector > 0
      ? [
          `load_hparams: model size:         ${mib(bytes.projector)} MiB`,
          ...buffers('alloc_compute_meta', 'compute', [
            [projectorOnGpu ? gpuName : 'CPU', bytes.projectorCompute],
          ]),
        ]
      : []),
  ];
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(2);
}
