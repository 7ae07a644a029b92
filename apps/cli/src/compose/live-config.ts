import { stat } from 'node:fs/promises';
import type { LoadedModelConfig } from '@mai/model-config';
import { candidateSources } from '@mai/model-config';
import type { CommandContext } from '../context.js';
import { configOptions, loadConfig } from './load-config.js';

/** A configuration that may be edited while it is in use. */
export interface LiveConfig {
  /** What is in force. */
  readonly current: LoadedModelConfig;
  /**
   * What the files say now, where they have changed since the last call; null where they have not. It is
   * in force once it is `accept`ed.
   * @throws ModelConfigError once for every version that is not sound.
   */
  readonly changed: () => Promise<LoadedModelConfig | null>;
  readonly accept: (config: LoadedModelConfig) => void;
}

/** @throws ModelConfigError where the configuration is not sound to begin with. */
export async function openLiveConfig(context: CommandContext): Promise<LiveConfig> {
  let seen = await fingerprint(context);
  let current = await loadConfig(context);
  return {
    get current() {
      return current;
    },
    changed: async () => {
      const now = await fingerprint(context);
      if (now === seen) return null;
      // Before the reading: what is written in between is read again.
      seen = now;
      return loadConfig(context);
    },
    accept: (config) => {
      current = config;
    },
  };
}

/** Changes whenever a file does that the configuration is, or could be, read from. */
async function fingerprint(context: CommandContext): Promise<string> {
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
