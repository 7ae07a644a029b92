import path from 'node:path';
import type { HeaderCache } from '@mai/memory-estimator';
import { openHeaderCache } from '@mai/memory-estimator';
import type { HostContext } from '../host-options.js';
import { VERSION } from '../version.js';

/** The headers of model files, and what this version works out from them, kept between runs. */
export function openHeaders({ folders }: HostContext): HeaderCache {
  const cache = openHeaderCache({ file: path.join(folders.cache, 'headers.json') });
  return {
    ...cache,
    derive: (file, key, compute, options) =>
      cache.derive(file, `${VERSION} ${key}`, compute, options),
  };
}
