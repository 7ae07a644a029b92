import type { AutopilotEvent, LoadedModelConfig } from '@mai/host';

/** Shows the events of the autopilot: a live view, or lines of JSON. */
export interface WatchReport {
  readonly event: (event: AutopilotEvent) => void;
  /** Called when an edited configuration takes effect. */
  readonly configApplied: (config: LoadedModelConfig) => void;
  /** Called when a decision could not be written to the decision log. */
  readonly logFailed: (error: unknown) => void;
  readonly close: () => void;
}
