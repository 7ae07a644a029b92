import path from 'node:path';
import type { HeaderCache } from '@mai/memory-estimator';
import { openHeaderCache } from '@mai/memory-estimator';
import type { HostContext } from '../host-options.js';
import manifest from '../../package.json' with { type: 'json' };

// All functions that need the memory estimator. The estimator is large, so `host-parts` imports this file on
// first use. Calls that estimate nothing then start faster.
export { listDownloads } from '../downloads/downloads.js';
export { createSubjectFinder } from '../speeds/find-subject.js';
export { openSpeeds } from '../speeds/speeds.js';
export { openCalibration } from './calibration.js';
export { createFootprints } from './footprints.js';
export { openQualities } from './kept-qualities.js';

/** Opens the cache of parsed headers and of the facts derived from them. It is kept between runs. */
export function openHeaders({ folders }: HostContext): HeaderCache {
  const cache = openHeaderCache({ file: path.join(folders.cache, 'headers.json') });
  return {
    ...cache,
    // Another version of Mai may derive other facts, so the version is part of the key.
    derive: (file, key, compute, options) =>
      cache.derive(file, `${manifest.version} ${key}`, compute, options),
  };
}
