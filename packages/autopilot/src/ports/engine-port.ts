import type { CallOptions } from './call-options.js';

/** Reads the processes of the engines. With this port, the growth of a model is measured and not inferred. */
export interface EnginePort {
  /**
   * Anonymous RAM of the process of each instance, without memory of GPUs, in bytes. Instances whose process is
   * not known, or cannot be read, are left out. Instances that share a process are left out too. Called once a
   * round, so it should take a few milliseconds at most. Rejects only when the signal fires.
   */
  anonymousBytes(
    instanceIdentifiers: readonly string[],
    options: CallOptions,
  ): Promise<ReadonlyMap<string, number>>;
}
