import path from 'node:path';
import { openStampedStore } from '@mai/memory-estimator';
import { rememberQualities, type JudgeQuality, type ModelQuality } from '@mai/model-config';
import { isRecord } from '../guards.js';
import type { HostContext } from '../host-options.js';
import manifest from '../../package.json' with { type: 'json' };

/** Version of the stored form. Raise it when the form changes, because files of another version are ignored. */
const FORMAT = 1;

/** The qualities of models, which are kept between runs. */
export interface KeptQualities {
  readonly judge: JudgeQuality;
  /** Writes new qualities to the file. Never throws: without them, the next run derives them again. */
  save(): void;
}

/**
 * Opens `qualities.json` in the cache folder, which is read at the first question. A file that is missing or damaged counts as
 * empty. Another version of Mai derives the qualities again, because its tables may differ.
 */
export function openQualities({ folders }: Pick<HostContext, 'folders'>): KeptQualities {
  const store = openStampedStore(path.join(folders.cache, 'qualities.json'), FORMAT, isKept);
  return {
    judge: rememberQualities({
      get: (question) => store.get(question, manifest.version),
      set: (question, kept) => store.set(question, manifest.version, kept),
    }),
    save: () => void store.save(),
  };
}

function isKept(value: unknown): value is { readonly answer: ModelQuality | null } {
  if (!isRecord(value)) return false;
  const { answer } = value;
  return answer === null || (isRecord(answer) && typeof answer['quality'] === 'number');
}
