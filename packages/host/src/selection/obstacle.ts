import type { Selection, SelectionInput } from '@mai/selector';
import { selectModel } from '@mai/selector';

/** Why no model of a chain can be loaded. */
export type SelectionObstacle =
  /**
   * No model is downloaded. `modelKey` is the first model of the chain that would fit after a
   * download, or else the first model; null for an empty chain.
   */
  | { readonly kind: 'nothing-downloaded'; readonly modelKey: string | null }
  /** Models are downloaded, but no model of the chain. `modelKey` as above. */
  | { readonly kind: 'chain-not-downloaded'; readonly modelKey: string | null }
  /** No downloaded model of the chain has these capabilities. */
  | { readonly kind: 'not-capable'; readonly capabilities: readonly string[] }
  /** Every downloaded model of the chain is rejected: for memory, context length, tier, or failed loads. */
  | { readonly kind: 'nothing-fits' };

/** Finds out why no model was chosen; null where a model was chosen. */
export function findObstacle(
  { chosen }: Selection,
  input: SelectionInput,
  downloadedCount: number,
): SelectionObstacle | null {
  if (chosen !== null) return null;
  const { candidates, requirement } = input;
  const downloaded = candidates.filter((candidate) => candidate.downloaded);
  if (downloaded.length === 0) {
    const modelKey = modelToDownload(input);
    const kind = downloadedCount === 0 ? 'nothing-downloaded' : 'chain-not-downloaded';
    return { kind, modelKey };
  }
  const { capabilities } = requirement;
  const able = downloaded.some((one) => capabilities.every((c) => one.capabilities.includes(c)));
  return able ? { kind: 'nothing-fits' } : { kind: 'not-capable', capabilities };
}

/** The first model of the chain that would fit after a download, or else the first model. */
function modelToDownload(input: SelectionInput): string | null {
  const wanted = input.candidates.map((candidate) => ({ ...candidate, downloaded: true }));
  const fitting = selectModel({ ...input, candidates: wanted }).chosen;
  return (fitting ?? input.candidates[0])?.modelKey ?? null;
}
