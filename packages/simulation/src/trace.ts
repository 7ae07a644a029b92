/** What the rest of the machine does from `tMs` on, until the next row. */
export interface TraceRow {
  readonly tMs: number;
  readonly ram: { readonly totalBytes: number; readonly othersBytes: number };
  readonly gpus: readonly {
    readonly totalBytes: number;
    readonly othersBytes: number;
    /** Its memory is the RAM above, and counted there. */
    readonly unified: boolean;
  }[];
  readonly cpuOthersRatio: number;
  /** This and the next two are kept for who reads the trace; no decision depends on them. */
  readonly onBattery: boolean;
  /** Bytes. */
  readonly swapInPerSecond?: number;
  /** What the operating system says: 0 to 1 (Linux, the share of time that something waits), or a level. */
  readonly pressure?: number | 'normal' | 'warning' | 'critical';
  readonly requests: { readonly ratePerMinute: number; readonly meanSeconds: number };
  readonly events: readonly TraceEvent[];
}

/** Something that happens at the beginning of a row. */
export type TraceEvent =
  | { readonly type: 'lmStudioDown' }
  | { readonly type: 'lmStudioUp' }
  /** The next `count` loads fail. */
  | { readonly type: 'failNextLoads'; readonly count: number }
  /**
   * Somebody loads a model by hand; it takes its bytes from RAM, and `vramBytes` from the memory of the GPU
   * with this place among those that have some, from 0. Default the first.
   */
  | {
      readonly type: 'foreignLoad';
      readonly instanceIdentifier: string;
      readonly modelKey: string;
      readonly ramBytes: number;
      readonly vramBytes: number;
      readonly gpu?: number;
    }
  | { readonly type: 'foreignUnload'; readonly instanceIdentifier: string }
  /** The readings of a GPU vanish (a driver reset), and come back; those of all without its place. */
  | { readonly type: 'gpuLost'; readonly gpu?: number }
  | { readonly type: 'gpuBack'; readonly gpu?: number };
