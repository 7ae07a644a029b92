import type { HostModel } from '../../state/host-state.js';
import type { PlacementInput } from '../placement-input.js';

/** Place of a model in the order of preference of a request, from 0; null where the request does not want it. */
export type PreferenceOf = (model: HostModel) => number | null;

/**
 * The order of preference of a request. A model is wanted by its key, or because it has the digest of a wanted model:
 * equal digests are the same model under different keys. The digest of a key is that of the asking host (`ownHost`) if it
 * has the model, else that of any host.
 *
 * Without model keys every model is wanted, larger tiers first. Embedding models are wanted only where the request asks
 * for the capability.
 */
export function preferenceOf({ hosts, ownHost, request }: PlacementInput): PreferenceOf {
  const { modelKeys } = request;
  const wantsEmbedding = request.capabilities.includes('embedding');
  if (modelKeys === null) {
    return ({ kind, tier }) =>
      kind === 'embedding' && !wantsEmbedding ? null : BY_TIER.indexOf(tier);
  }
  const byKey = new Map<string, number>();
  for (const [index, modelKey] of modelKeys.entries()) {
    if (!byKey.has(modelKey)) byKey.set(modelKey, index);
  }
  const ownKeys = new Set<string>();
  for (const { state } of hosts) {
    if (state.host !== ownHost) continue;
    for (const { modelKey } of state.models) ownKeys.add(modelKey);
  }
  const byDigest = new Map<string, number>();
  for (const { state } of hosts) {
    const isOwn = state.host === ownHost;
    for (const { modelKey, digest } of state.models) {
      if (digest === null) continue;
      const index = byKey.get(modelKey);
      if (index === undefined || (!isOwn && ownKeys.has(modelKey))) continue;
      byDigest.set(digest, Math.min(index, byDigest.get(digest) ?? index));
    }
  }
  return ({ modelKey, digest }) =>
    byKey.get(modelKey) ?? (digest === null ? null : (byDigest.get(digest) ?? null));
}

const BY_TIER: readonly string[] = ['large', 'medium', 'small'];
