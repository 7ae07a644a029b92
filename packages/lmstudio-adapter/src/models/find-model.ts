import { LMStudioError } from '../errors.js';
import type {
  DownloadedModel,
  LeftOutModel,
  ModelListing,
  ResidentInstance,
} from './model-types.js';

/** The downloaded model that a key names. */
export interface ModelMatch {
  /** Matches the model key, the key of a variant, or the path; `null`: no model matches. */
  readonly model: DownloadedModel | null;
  /** The given key where it is the key of a variant, else `null`. */
  readonly variant: string | null;
  /** Similar keys where no model matches, best first. */
  readonly suggestions: readonly string[];
}

/**
 * Looks a model key up among the downloaded models. Models of LM Studio's own machine come before those of LM Link
 * devices. With a `deviceIdentifier`, only that device's models count (`null`: LM Studio's own machine).
 */
export function findModel(
  modelKey: string,
  downloaded: readonly DownloadedModel[],
  deviceIdentifier?: string | null,
): ModelMatch {
  const own = downloaded.filter((model) => model.deviceIdentifier === null);
  const others = downloaded.filter((model) => model.deviceIdentifier !== null);
  const candidates =
    deviceIdentifier === undefined
      ? [...own, ...others]
      : downloaded.filter((model) => model.deviceIdentifier === deviceIdentifier);
  const exact =
    candidates.find((candidate) => candidate.modelKey === modelKey) ??
    candidates.find(({ path }) => path === modelKey);
  if (exact !== undefined) return { model: exact, variant: null, suggestions: [] };
  const ofVariant = candidates.find(({ variants }) => variants.includes(modelKey));
  if (ofVariant !== undefined) return { model: ofVariant, variant: modelKey, suggestions: [] };
  const keys = [...new Set(candidates.map((candidate) => candidate.modelKey))];
  return { model: null, variant: null, suggestions: suggest(modelKey, keys) };
}

/**
 * The error for a key that no downloaded model has. Where the list is known, it has suggestions, or the reason why the list
 * leaves the model out.
 */
export function modelNotFound(
  modelKey: string,
  listing: ModelListing | null,
  facts: ConstructorParameters<typeof LMStudioError>[2] = {},
): LMStudioError {
  const leftOut = listing?.leftOut.find((entry) => entry.modelKey === modelKey);
  if (leftOut !== undefined)
    return new LMStudioError(
      'MODEL_NOT_FOUND',
      `'${modelKey}' cannot be used: ${leftOutReason(leftOut)}.`,
      { ...facts, modelKey, suggestions: [] },
    );
  const suggestions = listing === null ? [] : findModel(modelKey, listing.models).suggestions;
  return new LMStudioError(
    'MODEL_NOT_FOUND',
    `No downloaded model has the key '${modelKey}'.${didYouMean(suggestions)} 'lms ls' lists the downloaded models, 'lms get' downloads more.`,
    { ...facts, modelKey, suggestions },
  );
}

/** Why LM Studio's list has an entry that is not among the models, as a clause. */
export function leftOutReason({ type, reason }: LeftOutModel): string {
  return reason === 'unreadable'
    ? 'LM Studio lists it without its facts'
    : `its kind is ${type ?? 'unknown'}, which is not a language model`;
}

/** The error for an identifier that no resident has. */
export function instanceNotFound(
  instanceIdentifier: string,
  residents: readonly ResidentInstance[],
): LMStudioError {
  const identifiers = residents.map((resident) => resident.instanceIdentifier);
  const suggestions = suggest(instanceIdentifier, identifiers);
  const loaded =
    identifiers.length === 0 ? 'Nothing is loaded.' : `Loaded: ${identifiers.join(', ')}.`;
  return new LMStudioError(
    'INSTANCE_NOT_FOUND',
    `No loaded model has the identifier '${instanceIdentifier}'. ${loaded}`,
    { instanceIdentifier, suggestions },
  );
}

function didYouMean(suggestions: readonly string[]): string {
  return suggestions.length === 0 ? '' : ` Did you mean ${suggestions.join(' or ')}?`;
}

const MAX_SUGGESTIONS = 3;
const MAX_DISTANCE = 0.45;

/**
 * Known names that are similar to the wanted name, best first. Similar names differ by few edits, or one name
 * contains the other. Case, separators and a missing publisher are ignored.
 */
export function suggest(wanted: string, known: readonly string[]): readonly string[] {
  const target = normalize(wanted);
  if (target === '') return [];
  return known
    .map((name) => ({ name, distance: distanceTo(target, name) }))
    .filter(({ distance }) => distance <= MAX_DISTANCE)
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, MAX_SUGGESTIONS)
    .map(({ name }) => name);
}

/** From 0 (the same name, spelled differently) to 1 (nothing in common). */
function distanceTo(target: string, name: string): number {
  const spellings = [normalize(name), normalize(name.split('/').pop() ?? name)];
  return Math.min(
    ...spellings.map((spelling) => {
      if (spelling === '') return 1;
      const longest = Math.max(spelling.length, target.length);
      const edits = editDistance(target, spelling) / longest;
      const contained = spelling.includes(target) || target.includes(spelling);
      // Where one name contains the other, they are more alike than the number of edits says.
      return contained ? Math.min(edits, 0.4) : edits;
    }),
  );
}

function normalize(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, '');
}

/** Levenshtein distance, row by row. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replace, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
