import { stat } from 'node:fs/promises';
import type { LoadedModelConfig } from '@mai/model-config';
import { candidateSources } from '@mai/model-config';
import { configOptions, loadConfig } from '../../config/load-config.js';
import type { HostContext } from '../../host-options.js';

/** A configuration that may be edited while it is in use. */
export interface LiveConfig {
  /** The configuration in force. */
  readonly current: LoadedModelConfig;
  /**
   * The new configuration where the files have changed since the last call; otherwise null. It comes
   * into force when the caller passes it to `accept`.
   *
   * @throws ModelConfigError once for each change that leaves a fault in the files
   */
  readonly changed: () => Promise<LoadedModelConfig | null>;
  readonly accept: (config: LoadedModelConfig) => void;
}

/** Reads the configuration. @throws ModelConfigError where it has a fault */
export async function openLiveConfig(context: HostContext): Promise<LiveConfig> {
  let seen = await fingerprint(context);
  let current = await loadConfig(context);
  return {
    get current() {
      return current;
    },
    changed: async () => {
      const now = await fingerprint(context);
      if (now === seen) return null;
      // Set before the files are read, so that the next call notices a change during the reading.
      seen = now;
      return loadConfig(context);
    },
    accept: (config) => {
      current = config;
    },
  };
}

/** A text that changes when a file changes in one of the places that are searched for the configuration. */
async function fingerprint(context: HostContext): Promise<string> {
  // A configuration that the host's options contain does not change.
  if (context.config !== null) return '';
  const parts = await Promise.all(
    candidateSources(configOptions(context)).map(async ({ file }) => {
      try {
        const { mtimeMs, size, ino } = await stat(file);
        return `${file} ${mtimeMs} ${size} ${ino}`;
      } catch {
        return `${file} absent`;
      }
    }),
  );
  return parts.join('\n');
}
