import type { Selection, SelectionInput } from '@mai/selector';
import { selectModel } from '@mai/selector';
import { emptyFoldersNote } from '../downloads/describe-origin.js';
import type { Downloads } from '../downloads/downloads-list.js';
import { leftOutByKey } from '../downloads/left-out-models.js';
import { notesOfUnlisted } from '../downloads/left-out-notes.js';
import type { RuntimeName } from '../runtime/runtime-client.js';

/** Why no model of a chain can be loaded. */
export type SelectionObstacle =
  /**
   * The models cannot be used: llama.cpp refuses the chain's files, LM Studio lists them as another kind of model, or
   * a folder of models does not exist or cannot be read. `message` names the model, the file or the folder.
   */
  | { readonly kind: 'not-usable'; readonly message: string }
  /**
   * No model is downloaded. `modelKey` is the first model of the chain that would fit after a
   * download, or else the first model; null for an empty chain.
   */
  | {
      readonly kind: 'nothing-downloaded';
      readonly modelKey: string | null;
      readonly runtime: RuntimeName;
    }
  /** Models are downloaded, but no model of the chain. `modelKey` as above. */
  | {
      readonly kind: 'chain-not-downloaded';
      readonly modelKey: string | null;
      readonly runtime: RuntimeName;
    }
  /** No downloaded model of the chain has these capabilities. */
  | { readonly kind: 'not-capable'; readonly capabilities: readonly string[] }
  /** The minimum headroom of the policy is as large as the RAM of the machine, or larger. */
  | {
      readonly kind: 'headroom-too-large';
      readonly totalBytes: number;
      readonly minHeadroomBytes: number;
    }
  /**
   * Every downloaded model of the chain is rejected: for memory, context length, tier, or failed loads. `yieldedBytes` is the memory
   * of all pools that yields keep free.
   */
  | { readonly kind: 'nothing-fits'; readonly yieldedBytes: number };

/**
 * Finds out why no model was chosen; null where a model was chosen.
 *
 * @param asked - the only model that was asked for; null: a chain
 */
export function findObstacle(
  { chosen }: Selection,
  input: SelectionInput,
  downloads: Downloads,
  asked: string | null,
): SelectionObstacle | null {
  if (chosen !== null) return null;
  const { models, link } = downloads;
  const { candidates, requirement } = input;
  const downloaded = candidates.filter((candidate) => candidate.downloaded);
  if (downloaded.length === 0) {
    const leftOut = leftOutByKey(downloads);
    // A model that is not offered is a candidate only where the configuration names it.
    const keys = asked === null ? candidates.map(({ modelKey }) => modelKey) : [asked];
    const [refused] = keys.flatMap((key) => leftOut.get(key) ?? []);
    if (refused !== undefined) return { kind: 'not-usable', message: refused.note };
    const [missing] = notesOfUnlisted(downloads);
    if (missing !== undefined) return { kind: 'not-usable', message: missing };
    const { origin } = downloads;
    const empty =
      models.length === 0 && origin.kind === 'stores' ? emptyFoldersNote(origin.places) : null;
    if (empty !== null) return { kind: 'not-usable', message: empty };
    const modelKey = modelToDownload(input);
    const kind = models.length === 0 ? 'nothing-downloaded' : 'chain-not-downloaded';
    return { kind, modelKey, runtime: link.runtime };
  }
  const { capabilities } = requirement;
  const able = downloaded.some((one) => capabilities.every((c) => one.capabilities.includes(c)));
  if (!able) return { kind: 'not-capable', capabilities };
  const { minHeadroomBytes } = input.policy;
  const { ram, gpus } = input.resources;
  return ram.totalBytes <= minHeadroomBytes
    ? { kind: 'headroom-too-large', totalBytes: ram.totalBytes, minHeadroomBytes }
    : {
        kind: 'nothing-fits',
        yieldedBytes: [ram, ...gpus].reduce((sum, { yieldedBytes = 0 }) => sum + yieldedBytes, 0),
      };
}

/** The first model of the chain that would fit after a download, or else the first model. */
function modelToDownload(input: SelectionInput): string | null {
  const wanted = input.candidates.map((candidate) => ({ ...candidate, downloaded: true }));
  const fitting = selectModel({ ...input, candidates: wanted }).chosen;
  return (fitting ?? input.candidates[0])?.modelKey ?? null;
}
