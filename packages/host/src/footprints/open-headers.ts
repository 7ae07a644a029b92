import path from 'node:path';
import type { HeaderCache } from '@mai/memory-estimator';
import { openHeaderCache } from '@mai/memory-estimator';
import type { HostContext } from '../host-options.js';
import { VERSION } from '../version.js';

/** Parsed headers of model files and the facts derived from them, cached between runs. */
export function openHeaders({ folders }: HostContext): HeaderCache {
  const cache = openHeaderCache({ file: path.join(folders.cache, 'headers.json') });
  return {
    ...cache,
    derive: (file, key, compute, options) =>
      cache.derive(file, `${VERSION} ${key}`, compute, options),
  };
}
