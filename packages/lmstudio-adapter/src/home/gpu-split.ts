import { numbers, record, text } from '../json-fields.js';

/** How LM Studio spreads a model over several GPUs. */
export interface GpuSplit {
  /** LM Studio's name: `evenly`, `priorityOrder`, `tensor` or `custom`. */
  readonly strategy: string;
  /** Indices of the GPUs that are not used. */
  readonly disabledGpus: readonly number[];
  /** Indices of the GPUs in the order in which they are filled. */
  readonly priority: readonly number[];
  /** Share of each GPU, by index, where `strategy` is `custom`. */
  readonly customRatio: readonly number[];
}

/** The value of the key `load.gpuSplitConfig`; `null` for anything else. */
export function toGpuSplit(value: unknown): GpuSplit | null {
  const raw = record(value);
  const strategy = text(raw?.['strategy']);
  if (raw === null || strategy === null) return null;
  return {
    strategy,
    disabledGpus: numbers(raw['disabledGpus']),
    priority: numbers(raw['priority']),
    customRatio: numbers(raw['customRatio']),
  };
}
