import path from 'node:path';
import type { GgufHeader } from '@mai/memory-estimator';
import { openHeaderCache } from '@mai/memory-estimator';
import type { CommandContext } from '../context.js';

/** The headers of model files: each read once, and kept between runs. */
export interface HeaderShelf {
  /** @throws ModelFileError */
  readonly headerOf: (file: string) => Promise<GgufHeader>;
  /** Keeps what was read for the next run; where that can't be written the next run reads again. */
  readonly save: () => void;
}

export function createHeaderShelf({ io, signal }: CommandContext): HeaderShelf {
  const cache = openHeaderCache({ file: path.join(io.folders.cache, 'headers.json') });
  const headers = new Map<string, Promise<GgufHeader>>();
  return {
    headerOf: (file) => {
      const known = headers.get(file);
      if (known !== undefined) return known;
      const reading = cache.read(file, { signal });
      headers.set(file, reading);
      return reading;
    },
    save: () => {
      cache.save();
    },
  };
}
