/**
 * The state of a machine from `tMs` until the next row's, without Mai's own models. The last row only marks
 * the end of the trace.
 */
export interface TraceRow {
  /** Since the start of the trace; the first row has 0. */
  readonly tMs: number;
  /** `othersBytes`: used by every program but LM Studio. May be above the total: then memory has run out. */
  readonly ram: { readonly totalBytes: number; readonly othersBytes: number };
  readonly gpus: readonly TraceGpu[];
  /** CPU that other programs use, as a share of all cores, 0 to 1. */
  readonly cpuOthersRatio: number;
  /** For readers of the trace: no decision depends on it. */
  readonly onBattery: boolean;
  /** Bytes per second. For readers of the trace: no decision depends on it. */
  readonly swapInPerSecond?: number;
  /**
   * Memory pressure as the operating system reports it: the share of time that tasks wait (Linux, 0 to 1),
   * or a level (macOS). For readers of the trace: no decision depends on it.
   */
  readonly pressure?: number | 'normal' | 'warning' | 'critical';
  /** Requests to the model that is ready: a Poisson process with exponentially distributed durations. */
  readonly requests: { readonly ratePerMinute: number; readonly meanSeconds: number };
  /** What happens when the row begins. */
  readonly events: readonly TraceEvent[];
}

/** One GPU of a trace. */
export interface TraceGpu {
  readonly totalBytes: number;
  readonly othersBytes: number;
  /**
   * Its memory is system RAM: what others use of it is part of `ram.othersBytes`, and `totalBytes` only caps
   * what models may take. Where every GPU is like that, the machine is one unified pool.
   */
  readonly unified: boolean;
}

/** Something that happens when a row begins. `gpu` is an index into the row's `gpus`. */
export type TraceEvent =
  | { readonly type: 'lmStudioDown' }
  | { readonly type: 'lmStudioUp' }
  /** The next `count` loads fail. */
  | { readonly type: 'failNextLoads'; readonly count: number }
  /**
   * A person loads a model by hand. `vramBytes` go to the GPU that `gpu` names, by default the first with
   * memory of its own; to RAM where there is no such GPU.
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
  /** A GPU can't be read any more, as during a driver reset; without `gpu`, all of them. */
  | { readonly type: 'gpuLost'; readonly gpu?: number }
  /** The GPU can be read again; without `gpu`, all of them. */
  | { readonly type: 'gpuBack'; readonly gpu?: number };
