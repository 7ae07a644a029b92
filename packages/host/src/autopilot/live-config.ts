import { stat } from 'node:fs/promises';
import type { LoadedModelConfig } from '@mai/model-config';
import { candidateSources } from '@mai/model-config';
import { configOptions, loadConfig } from '../config/load-config.js';
import type { HostContext } from '../host-options.js';

/** A configuration that may be edited while it is in use. */
export interface LiveConfig {
  /** The configuration in force. */
  readonly current: LoadedModelConfig;
  /**
   * The configuration in the files, where they have changed since the last call; otherwise null.
   * It comes into force when it is passed to `accept`.
   *
   * @throws ModelConfigError once for every version of the files that has a fault
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
      // Noted before reading, so that a change during the reading is seen at the next call.
      seen = now;
      return loadConfig(context);
    },
    accept: (config) => {
      current = config;
    },
  };
}

/** Changes whenever a file changes that is, or could become, the configuration file. */
async function fingerprint(context: HostContext): Promise<string> {
  // A configuration that was passed as a value does not change.
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
