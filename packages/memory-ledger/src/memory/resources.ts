/** The vendor of a GPU. */
export type GpuVendor = 'nvidia' | 'amd' | 'intel' | 'apple';

/** One GPU of a machine. */
export interface GpuResources {
  /** Stable over restarts. A footprint names its GPUs by this key. Two equal cards have two keys. */
  readonly deviceKey: string;
  /** Name for display; `null` when the system reports no name. */
  readonly name: string | null;
  /** `null` when the system does not report the vendor. */
  readonly vendor: GpuVendor | null;
  /** `shared`: the GPU uses system RAM, and `totalBytes` is the most RAM that the GPU may take. */
  readonly memory: 'dedicated' | 'shared';
  readonly totalBytes: number | null;
  /** `null` means that the memory is not measured. It does not mean that the memory is full. */
  readonly availableBytes: number | null;
  /** Bytes that yields keep free for other programs. `availableBytes` leaves them out. Absent: 0. */
  readonly yieldedBytes?: number;
}

/** Memory and CPU of a machine: the fields of a monitor's snapshot that a decision reads. */
export interface Resources {
  /** Milliseconds since the epoch. */
  readonly timestampMs: number;
  /** `false` when the runtime is on another machine; then only totals are known. */
  readonly observable: boolean;
  readonly ram: {
    readonly totalBytes: number;
    readonly availableBytes: number | null;
    /** Bytes that yields keep free for other programs. `availableBytes` leaves them out. Absent: 0. */
    readonly yieldedBytes?: number;
    /**
     * Whether the OS counts mapped pages as used: Windows does, Linux does not. `null` (unknown) is treated as
     * `false`. This is the careful side, because others then appear to use more.
     */
    readonly mappedCountsAsUsed: boolean | null;
  };
  /** Whether CPU and GPU share one pool, as on Apple silicon. Every GPU's memory then counts as shared. */
  readonly unified: boolean;
  readonly gpus: readonly GpuResources[];
  readonly cpu: {
    /** CPU load, 0 to 1 over all cores. */
    readonly utilizationRatio: number | null;
    /** CPU load without the runtime's engines, 0 to 1 over all cores. */
    readonly othersRatio: number | null;
  };
}
