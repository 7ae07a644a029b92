import type { Host } from '../host.js';
import type { HostOptions } from '../host-options.js';
import type { StatusReport } from '../machine/read-status.js';
import type { ModelReport } from '../model-list/list-models.js';
import type { EventStyle } from '../text/decisions/describe-event.js';

/** Where the demo is shown. */
export interface DemoStage {
  /** Opens a host with the caller's options and these. */
  readonly openHost: (options: HostOptions) => Promise<Host>;
  /** Folders for the demo's files; see `writeNoiseModels`. */
  readonly folders: readonly string[];
  readonly signal: AbortSignal;
  readonly style: EventStyle;
  /** Begins a chapter. */
  readonly heading: (title: string) => void;
  /** Shows a paragraph. */
  readonly text: (text: string) => void;
  /** Gives a person time to read. */
  readonly pause: () => Promise<void>;
  /** Shows the progress of the files, in bytes, until `clear`. */
  readonly progress: (totalBytes: number) => {
    readonly update: (ratio: number) => void;
    readonly clear: () => void;
  };
  readonly models: (models: readonly ModelReport[]) => void;
  readonly memory: (status: StatusReport) => void;
  /** Shows the memory again and again until the promise settles. */
  readonly whileMemoryChanges: (
    read: () => Promise<StatusReport>,
    done: Promise<void>,
  ) => Promise<void>;
}
