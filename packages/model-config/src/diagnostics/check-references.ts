import { CAPABILITIES, TIERS } from '@mai/memory-ledger';
import { MODEL_KEY_PATTERN } from '../format/model-key.js';
import { checkAliases } from './check-aliases.js';
import { didYouMeanSentence } from './did-you-mean.js';
import { type Finding, type PathStep, quote, unknownReference } from './issue.js';
import { listOf, valueAt } from './raw-value.js';

// Rules about names that a schema cannot express. The rules read the raw value and skip values of
// the wrong type, so that their findings can be reported together with the schema's.

/** Finds duplicates, references to names that do not exist, and chains that include themselves. */
export function checkReferences(raw: unknown): Finding[] {
  const keys = modelKeys(raw);
  const chains = chainsOf(raw);
  return [
    ...duplicateModels(keys),
    ...chains.flatMap(([name, entries]) => chainEntries(name, entries, keys, chains)),
    ...cycles(chains),
    ...pins(raw, keys),
    ...modelFolders(raw),
    ...fleetChains(raw, chains),
    ...checkAliases(raw, {
      modelKeys: keys.map(([, key]) => key),
      chainNames: chains.map(([name]) => name),
    }),
  ];
}

/** The model keys with their indices. Entries without a key are left out. */
function modelKeys(raw: unknown): [index: number, key: string][] {
  return listOf(valueAt(raw, ['models'])).flatMap((_, index): [number, string][] => {
    const key = valueAt(raw, ['models', index, 'key']);
    return typeof key === 'string' ? [[index, key]] : [];
  });
}

function chainsOf(raw: unknown): [name: string, entries: readonly unknown[]][] {
  const chains = valueAt(raw, ['fallback_chains']);
  return typeof chains === 'object' && chains !== null && !Array.isArray(chains)
    ? Object.entries(chains).map(([name, entries]) => [name, listOf(entries)])
    : [];
}

function duplicateModels(keys: readonly [number, string][]): Finding[] {
  const first = new Map<string, number>();
  return keys.flatMap(([index, key]) => {
    const earlier = first.get(key);
    if (earlier === undefined) {
      first.set(key, index);
      return [];
    }
    return duplicate(
      ['models', index, 'key'],
      `${quote(key)} is configured twice, first as models[${earlier}]`,
      'merge the two entries',
    );
  });
}

function chainEntries(
  name: string,
  entries: readonly unknown[],
  keys: readonly [number, string][],
  chains: readonly [string, readonly unknown[]][],
): Finding[] {
  // zod drops this key of a record without an issue.
  if (name === '__proto__') {
    const message = `${quote(name)} cannot be the name of a chain`;
    const path = ['fallback_chains', name];
    return [{ code: 'INVALID_VALUE', path, at: 'key', message, suggestion: 'choose another name' }];
  }
  const seen = new Set<unknown>();
  return entries.flatMap((entry, index) => {
    if (typeof entry !== 'string' || entry.trim() === '') return [];
    const path = ['fallback_chains', name, index];
    if (seen.has(entry)) {
      return duplicate(path, `${quote(entry)} is in the chain already`, 'remove it');
    }
    seen.add(entry);
    // Names that the chain already has are not offered, because they would be duplicates.
    const free = (offers: readonly string[]): readonly string[] =>
      offers.filter((offer) => !entries.includes(offer));
    if (entry.startsWith('chain:')) {
      // A file without a `default` chain gets one, so a reference to it is valid.
      const names = [...new Set([...chains.map(([known]) => known), 'default'])];
      const wanted = entry.slice('chain:'.length);
      if (names.includes(wanted)) return [];
      const offers = names.filter((known) => !includesChain(known, name, new Map(chains)));
      const message = `there is no chain ${quote(wanted)}`;
      return oneOf(path, message, entry, free(offers.map((known) => `chain:${known}`)), names);
    }
    if (entry.startsWith('downloaded:')) {
      const [, wanted = '', ...rest] = entry.split(':');
      if (!CAPABILITIES.some((capability) => capability === wanted)) {
        const offers = CAPABILITIES.map((known) => ['downloaded', known, ...rest].join(':'));
        const message = `there is no capability ${quote(wanted)}`;
        return oneOf(path, message, entry, free(offers), CAPABILITIES);
      }
      const tier = rest.join(':');
      if (rest.length === 0 || TIERS.some((known) => known === tier)) return [];
      const offers = TIERS.map((known) => `downloaded:${wanted}:${known}`);
      return oneOf(path, `there is no category ${quote(tier)}`, entry, free(offers), TIERS);
    }
    return knownModel(path, entry, keys, entries);
  });
}

function fleetChains(
  raw: unknown,
  chains: readonly (readonly [string, readonly unknown[]])[],
): Finding[] {
  const names = [...new Set([...chains.map(([name]) => name), 'default'])];
  const entries = listOf(valueAt(raw, ['fleet', 'chains']));
  return entries.flatMap((entry, index) => {
    if (typeof entry !== 'string' || names.includes(entry)) return [];
    const path = ['fleet', 'chains', index];
    const offers = names.filter((name) => !entries.includes(name));
    return oneOf(path, `there is no chain ${quote(entry)}`, entry, offers, names);
  });
}

/** Whether a chain is the chain `wanted`, or includes it, directly or through other chains. */
function includesChain(
  name: string,
  wanted: string,
  chains: ReadonlyMap<string, readonly unknown[]>,
  seen: Set<string> = new Set(),
): boolean {
  if (name === wanted) return true;
  if (seen.has(name)) return false;
  seen.add(name);
  return (chains.get(name) ?? []).some(
    (entry) =>
      typeof entry === 'string' &&
      entry.startsWith('chain:') &&
      includesChain(entry.slice('chain:'.length), wanted, chains, seen),
  );
}

function oneOf(
  path: readonly PathStep[],
  message: string,
  entry: string,
  offers: readonly string[],
  known: readonly string[],
): Finding[] {
  return unknownReference(
    path,
    message,
    didYouMeanSentence(entry, offers) ?? `known: ${known.join(', ')}`,
  );
}

/** `others` are the entries of the same list. The suggestion is never one of these entries. */
function knownModel(
  path: readonly PathStep[],
  key: string,
  keys: readonly [number, string][],
  others: readonly unknown[],
): Finding[] {
  const names = keys.map(([, known]) => known);
  // A variant (key@q4_k_m) of a configured model has that model's configuration.
  if (names.includes(key) || names.includes(key.replace(/@[^@]*$/, ''))) return [];
  const offers = names.filter((name) => MODEL_KEY_PATTERN.test(name) && !others.includes(name));
  return unknownReference(
    path,
    `no model ${quote(key)} is configured`,
    didYouMeanSentence(key, offers) ?? 'add it under models, or remove it here',
  );
}

function pins(raw: unknown, keys: readonly [number, string][]): Finding[] {
  const seen = new Set<string>();
  return listOf(valueAt(raw, ['pins'])).flatMap((pin, index) => {
    if (typeof pin !== 'string' || !MODEL_KEY_PATTERN.test(pin)) return [];
    if (seen.has(pin)) {
      return duplicate(['pins', index], `${quote(pin)} is pinned already`, 'remove it');
    }
    seen.add(pin);
    return knownModel(['pins', index], pin, keys, listOf(valueAt(raw, ['pins'])));
  });
}

function modelFolders(raw: unknown): Finding[] {
  const seen = new Set<string>();
  return listOf(valueAt(raw, ['model_folders'])).flatMap((folder, index) => {
    if (typeof folder !== 'string') return [];
    const name = folder.replace(/(?<=.)[\\/]+$/, '');
    if (seen.has(name))
      return duplicate(['model_folders', index], `${quote(folder)} is listed already`, 'remove it');
    seen.add(name);
    return [];
  });
}

/** Finds chains that include themselves. Each cycle is reported once, at the reference that closes it. */
function cycles(chains: readonly [string, readonly unknown[]][]): Finding[] {
  const byName = new Map(chains);
  const done = new Set<string>();
  const findings: Finding[] = [];
  const visit = (name: string, trail: readonly string[]): void => {
    for (const [index, entry] of (byName.get(name) ?? []).entries()) {
      if (typeof entry !== 'string' || !entry.startsWith('chain:')) continue;
      const next = entry.slice('chain:'.length);
      const from = trail.indexOf(next);
      if (from >= 0) {
        findings.push({
          code: 'CYCLE',
          path: ['fallback_chains', name, index],
          at: 'value',
          message: `the chain includes itself: ${[...trail.slice(from), next].join(' -> ')}`,
          suggestion: 'remove one of these references',
        });
      } else if (!done.has(next)) {
        visit(next, [...trail, next]);
      }
    }
    done.add(name);
  };
  for (const [name] of chains) if (!done.has(name)) visit(name, [name]);
  return findings;
}

function duplicate(path: readonly PathStep[], message: string, suggestion: string): Finding[] {
  return [{ code: 'DUPLICATE', path, at: 'value', message, suggestion }];
}
