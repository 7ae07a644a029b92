import path from 'node:path';
import type { HeaderCache } from '@mai/memory-estimator';
import { openHeaderCache } from '@mai/memory-estimator';
import type { CommandContext } from '../context.js';

/** The headers of model files, and what this version makes of them: kept between runs. */
export type HeaderShelf = HeaderCache;

export function createHeaderShelf({ io }: CommandContext): HeaderShelf {
  const cache = openHeaderCache({ file: path.join(io.folders.cache, 'headers.json') });
  return {
    ...cache,
    derive: (file, key, compute, options) =>
      cache.derive(file, `${io.version} ${key}`, compute, options),
  };
}
