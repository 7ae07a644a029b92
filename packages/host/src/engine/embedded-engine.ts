import { availableParallelism } from 'node:os';
import { resolveEngineProfile } from '@mai/memory-estimator';
import type { RuntimeLink } from '../runtime/connect-runtime.js';
import type { LoadEngine } from './load-engine.js';

/** The embedded engine of this version of Mai with its own defaults. It has no settings of a user. */
export async function embeddedEngine(link: RuntimeLink, signal: AbortSignal): Promise<LoadEngine> {
  const engines =
    link.kind === 'on' && link.runtime === 'embedded'
      ? await link.client.selectedEngines({ signal })
      : null;
  return {
    profile: resolveEngineProfile({ engine: 'embedded' }),
    selected: engines ?? [],
    disabledGpus: 0,
    // Asking would start a process at each call. `mai doctor` asks.
    seenGpus: null,
    vectorInstructions: engines?.[0]?.vectorInstructions ?? null,
    threads: engines?.[0]?.threads ?? availableParallelism(),
    usesGpus: engines?.some(({ backend }) => backend !== 'cpu') ?? false,
    hardware: null,
    mlxKvCache: null,
  };
}
