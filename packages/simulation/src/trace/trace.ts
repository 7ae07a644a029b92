/**
 * The state of a machine from `tMs` until the `tMs` of the next row, without Mai's own models. The last row
 * only marks the end of the trace.
 */
export interface TraceRow {
  /** Milliseconds since the start of the trace. The first row has 0. */
  readonly tMs: number;
  /**
   * `othersBytes` is the use of all programs except LM Studio. If this is above the total, memory has run out.
   */
  readonly ram: { readonly totalBytes: number; readonly othersBytes: number };
  readonly gpus: readonly TraceGpu[];
  /** CPU load of other programs, 0 to 1 over all cores. */
  readonly cpuOthersRatio: number;
  /** For readers of the trace. No decision depends on it. */
  readonly onBattery: boolean;
  /** Bytes per second. No decision depends on it. */
  readonly swapInPerSecond?: number;
  /**
   * Memory pressure as the operating system reports it: the share of time that tasks wait (Linux, 0 to 1),
   * or a level (macOS). No decision depends on it.
   */
  readonly pressure?: number | 'normal' | 'warning' | 'critical';
  /** Requests to the ready model, as a Poisson process with exponentially distributed durations. */
  readonly requests: { readonly ratePerMinute: number; readonly meanSeconds: number };
  /** Events at the start of the row. */
  readonly events: readonly TraceEvent[];
}

/** One GPU of a trace. */
export interface TraceGpu {
  readonly totalBytes: number;
  readonly othersBytes: number;
  /**
   * Whether the GPU uses system RAM. If so, use of the GPU by others is part of `ram.othersBytes`, and
   * `totalBytes` only caps the memory of models. If every GPU is unified, the machine has one unified pool.
   */
  readonly unified: boolean;
}

/** An event at the start of a row. `gpu` is an index into the row's `gpus`. */
export type TraceEvent =
  | { readonly type: 'lmStudioDown' }
  | { readonly type: 'lmStudioUp' }
  /** The next `count` loads fail. */
  | { readonly type: 'failNextLoads'; readonly count: number }
  /**
   * A person loads a model by hand. `vramBytes` go to the GPU that `gpu` names. The default is the first GPU
   * with memory of its own. Without such a GPU, `vramBytes` go to RAM.
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
  /** A GPU cannot be read any more, for example during a driver reset. Without `gpu`, no GPU can be read. */
  | { readonly type: 'gpuLost'; readonly gpu?: number }
  /** The GPU can be read again. Without `gpu`, every GPU can be read again. */
  | { readonly type: 'gpuBack'; readonly gpu?: number };
