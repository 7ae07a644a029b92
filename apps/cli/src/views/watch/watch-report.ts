import type { AutopilotEvent } from '@mai/autopilot';
import type { LoadedModelConfig } from '@mai/model-config';

/** Something that shows what the autopilot does. */
export interface WatchReport {
  readonly event: (event: AutopilotEvent) => void;
  /** An edited configuration is in force. */
  readonly configApplied: (config: LoadedModelConfig) => void;
  /** A decision could not be written down. */
  readonly logFailed: (error: unknown) => void;
  readonly close: () => void;
}
