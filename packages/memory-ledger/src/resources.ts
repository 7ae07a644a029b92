/** Who makes a GPU. */
export type GpuVendor = 'nvidia' | 'amd' | 'intel' | 'apple';

/** One GPU of a machine. */
export interface GpuResources {
  /** Stable over restarts; a footprint names its GPUs by it. Two equal cards have two keys. */
  readonly deviceKey: string;
  /** For people; `null` when the system does not tell. */
  readonly name: string | null;
  /** `null` when the system does not tell. */
  readonly vendor: GpuVendor | null;
  /** `shared`: its memory is system RAM, and `totalBytes` only caps what it may take of that. */
  readonly memory: 'dedicated' | 'shared';
  readonly totalBytes: number | null;
  /** `null` is unmeasured, not full. */
  readonly availableBytes: number | null;
}

/** What a machine has and has left: the fields of a monitor's snapshot that a decision reads. */
export interface Resources {
  /** Milliseconds since the epoch. */
  readonly timestampMs: number;
  /** `false` when the runtime is on another machine, of which only totals are known. */
  readonly observable: boolean;
  readonly ram: {
    readonly totalBytes: number;
    readonly availableBytes: number | null;
    /**
     * Whether the OS takes mapped pages off what is available: Windows does, Linux does not. `null`, not
     * known, counts as `false`: then less is taken off what others use.
     */
    readonly mappedCountsAsUsed: boolean | null;
  };
  /** CPU and GPU share one pool, as on Apple silicon: every GPU's memory then counts as shared. */
  readonly unified: boolean;
  readonly gpus: readonly GpuResources[];
  readonly cpu: {
    /** 0 to 1 over all cores. */
    readonly utilizationRatio: number | null;
    /** The same without the runtime's engines. */
    readonly othersRatio: number | null;
  };
}
