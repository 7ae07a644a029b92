import type { LoadSpeed, SpeedRange } from '@mai/memory-ledger';

/** How fast a model runs on this machine. */
export interface EstimatedSpeed {
  readonly speed: LoadSpeed;
  /** Generated tokens per second at the end of each asked context, in the order of the question. */
  readonly decodeByContext: readonly SpeedRange[];
}
