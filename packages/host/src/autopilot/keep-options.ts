import type { AutopilotEvent, Clock } from '@mai/autopilot';

/** Where the autopilot runs. */
export type AutopilotPlace =
  | { readonly kind: 'here' }
  /** Another process runs it, and this host is its client. */
  | { readonly kind: 'elsewhere' }
  /** LM Studio does not answer; `error` says why. */
  | { readonly kind: 'nowhere'; readonly error: unknown };

/** Options of `keepAutopilot`. */
export interface KeepOptions {
  /** Ends the autopilot of this process, and the call. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Called with each event of the autopilot, wherever it runs. */
  readonly onEvent: (event: AutopilotEvent) => void;
  /** Called when the place changes. */
  readonly onPlace: (place: AutopilotPlace) => void;
}
