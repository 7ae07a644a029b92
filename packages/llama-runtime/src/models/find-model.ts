import { LlamaRuntimeError } from '../errors.js';
import type { LocalModel } from './model-types.js';

/** The model that a key names. */
export interface ModelMatch {
  /** Matches the model key or the path; `null`: no model matches. */
  readonly model: LocalModel | null;
  /** Always `null` here: each file is a model of its own. */
  readonly variant: string | null;
  /** Similar keys where no model matches, best first. */
  readonly suggestions: readonly string[];
}

/** Looks a model key up. */
export function findModel(modelKey: string, models: readonly LocalModel[]): ModelMatch {
  const model =
    models.find((one) => one.modelKey === modelKey) ?? models.find(({ path }) => path === modelKey);
  if (model !== undefined) return { model, variant: null, suggestions: [] };
  const keys = models.map((one) => one.modelKey);
  return { model: null, variant: null, suggestions: suggest(modelKey, keys) };
}

/** The model that a key names. @throws LlamaRuntimeError `MODEL_NOT_FOUND` with suggestions. */
export function requireModel(modelKey: string, models: readonly LocalModel[]): LocalModel {
  const { model, suggestions } = findModel(modelKey, models);
  if (model !== null) return model;
  const hint =
    models.length === 0
      ? 'No GGUF file was found in the model folders.'
      : suggestions.length === 0
        ? `There are ${models.length} models, such as ${models[0]?.modelKey ?? ''}.`
        : `Did you mean ${suggestions.join(' or ')}?`;
  throw new LlamaRuntimeError(
    'MODEL_NOT_FOUND',
    `No model on this machine has the key '${modelKey}'. ${hint}`,
    { modelKey, suggestions },
  );
}

/** The error for an identifier that no resident has. */
export function instanceNotFound(
  instanceIdentifier: string,
  identifiers: readonly string[],
): LlamaRuntimeError {
  const loaded =
    identifiers.length === 0 ? 'Nothing is loaded.' : `Loaded: ${identifiers.join(', ')}.`;
  return new LlamaRuntimeError(
    'INSTANCE_NOT_FOUND',
    `No loaded model has the identifier '${instanceIdentifier}'. ${loaded}`,
    { instanceIdentifier, suggestions: suggest(instanceIdentifier, identifiers) },
  );
}

const MAX_SUGGESTIONS = 3;
const MAX_DISTANCE = 0.45;

/**
 * Known names that are similar to the wanted name, best first. Similar names differ by few edits, or one name
 * contains the other. Case, separators and a missing publisher are ignored.
 */
function suggest(wanted: string, known: readonly string[]): readonly string[] {
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
      const edits = editDistance(target, spelling) / Math.max(spelling.length, target.length);
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
