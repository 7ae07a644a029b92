import type { Heartbeat } from './heartbeat.js';
import type { HostState } from './host-state.js';

/** A host as one reader knows it. All times are of the reader's own monotonic clock. */
export interface KnownHost {
  readonly state: HostState;
  readonly heartbeat: Heartbeat | null;
  /**
   * Milliseconds since the reader last heard something new from the host; null where it has only read a stored state.
   */
  readonly silentMs: number | null;
  /** Whether the reader has heard something new recently enough. Only usable hosts get requests. */
  readonly usable: boolean;
  /** `lm-link`: a device of LM Link without Mai. It tells its residents and totals, no load and no pressure. */
  readonly kind: 'mai' | 'lm-link';
}
