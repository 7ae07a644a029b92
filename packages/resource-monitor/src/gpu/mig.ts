import type { Clock } from '../ports/clock.js';
import type { Executor } from '../ports/executor.js';
import type { GpuReading } from '../reading/figures.js';

/** Interval between readings of the list, which changes only when an administrator changes the slices. */
const ASK_AGAIN_AFTER_MS = 60_000;
const TIMEOUT_MS = 2500;

/** Arguments that list each GPU, followed by its MIG slices. */
const LIST_ARGUMENTS = ['-L'] as const;

/** Finds the GPUs that are split into MIG slices. */
export interface MigList {
  /** Removes the figures of GPUs that are split, because an engine can use only one slice. */
  withoutSplit(program: string, gpus: readonly GpuReading[]): Promise<readonly GpuReading[]>;
  stop(): void;
}

/**
 * nvidia-smi prints the memory of the whole GPU even if the GPU is split. A query can ask for the MIG mode, but
 * older drivers reject queries with unknown fields. No driver reports the load of a split GPU, so `nvidia-smi
 * -L` runs only if a load is missing.
 */
export function createMigList(executor: Executor, clock: Clock): MigList {
  let asked: { readonly atMs: number; readonly split: Promise<ReadonlySet<string>> } | null = null;
  const over = new AbortController();
  const ask = async (program: string): Promise<ReadonlySet<string>> => {
    const { outcome, stdout } = await executor.run(program, LIST_ARGUMENTS, {
      timeoutMs: TIMEOUT_MS,
      signal: over.signal,
    });
    return outcome === 'exited' ? parseSplitGpus(stdout) : new Set();
  };
  return {
    async withoutSplit(program, gpus) {
      if (!gpus.some(maybeSplit)) return gpus;
      const nowMs = clock.monotonicMs();
      if (asked === null || nowMs - asked.atMs > ASK_AGAIN_AFTER_MS) {
        asked = { atMs: nowMs, split: ask(program) };
      }
      const split = await asked.split;
      return gpus.map((gpu) => (split.has(gpu.deviceKey) ? withoutMemory(gpu) : gpu));
    },
    stop: () => over.abort(),
  };
}

/** The UUIDs of GPUs that the list shows with at least one MIG slice. */
export function parseSplitGpus(text: string): ReadonlySet<string> {
  const split = new Set<string>();
  let uuid: string | null = null;
  for (const line of text.split('\n')) {
    uuid = /^GPU \d+:.*\(UUID: (GPU-[^)]+)\)/.exec(line)?.[1] ?? uuid;
    if (uuid !== null && /^\s+MIG /.test(line)) split.add(uuid);
  }
  return split;
}

function maybeSplit({ totalBytes, utilizationRatio }: GpuReading): boolean {
  return totalBytes !== null && utilizationRatio === null;
}

function withoutMemory(gpu: GpuReading): GpuReading {
  return {
    ...gpu,
    totalBytes: null,
    usedBytes: null,
    availableBytes: null,
    readAtMonotonicMs: null,
    reasons: [
      'this GPU is split into MIG slices, and nvidia-smi reports the memory of the whole GPU',
    ],
  };
}
