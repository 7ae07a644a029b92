import { CAPABILITIES, TIERS, type Tier } from '@mai/memory-ledger';
import type { ServingCatalog } from '../ports/serving-port.js';
import { nearestNames } from './nearest-names.js';
import { whyNotListed } from './not-listed.js';
import { shorten } from '../shorten.js';

/** The meaning of a model's name. */
export type NamedModel =
  | { readonly kind: 'key'; readonly modelKey: string }
  | { readonly kind: 'instance'; readonly instanceIdentifier: string }
  | {
      readonly kind: 'auto';
      readonly tiers: readonly Tier[] | null;
      readonly chain: string | null;
      readonly capabilities: readonly string[];
    }
  | UnknownName;

/** A name without a meaning. */
interface UnknownName {
  readonly kind: 'unknown';
  readonly message: string;
  /** Whether a model may have this name nevertheless, because the list of models is not complete now. */
  readonly mayExist: boolean;
}

type Alias = ServingCatalog['aliases'][number];

/** Aliases that may lead from one to the next. */
const ALIASES_MAX = 4;

/**
 * Finds what a name means. In this order:
 *
 * 1. no name, or `auto`: the default chain; `auto:` with tiers, one chain and capabilities, joined with `+`;
 * 2. a model key; 3. an instance identifier, which is exact; 4. another name of a model, such as `key@q8_0`;
 * 5. the first alias whose pattern matches, in any case of letters. Its target is one of these names again.
 */
export function findModel(name: string | null, catalog: ServingCatalog): NamedModel {
  let wanted = name?.trim() ?? '';
  const followed: string[] = [];
  for (;;) {
    const found = findWithoutAlias(wanted, catalog);
    if (found !== null) return found;
    const alias = firstMatch(wanted, catalog);
    if (alias === null) return unknown(wanted, catalog, followed);
    followed.push(wanted);
    const isCycle = followed.includes(alias.target);
    if (isCycle || followed.length > ALIASES_MAX) {
      const path = [...followed, alias.target].map(quoted).join(' to ');
      return meaningless(
        `The alias ${quoted(followed[0] ?? '')} leads to no model, because ${isCycle ? 'the aliases lead in a circle' : `more than ${ALIASES_MAX} aliases follow each other`}: ${path}. Correct gateway.aliases in models.yaml.`,
      );
    }
    wanted = alias.target.trim();
  }
}

/** The alias whose pattern gives a name its meaning. Null for an unknown name, and for a key, an instance or `auto`. */
export function aliasOf(name: string, catalog: ServingCatalog): Alias | null {
  const wanted = name.trim();
  return findWithoutAlias(wanted, catalog) === null ? firstMatch(wanted, catalog) : null;
}

function firstMatch(name: string, { aliases }: ServingCatalog): Alias | null {
  return aliases.find(({ pattern }) => matches(pattern, name)) ?? null;
}

/** The names that the gateway offers beside keys and instance identifiers. */
export function autoNames(catalog: ServingCatalog): readonly string[] {
  const chains = Object.keys(catalog.chains).filter((chain) => chain !== 'default');
  return ['auto', ...chains.map((chain) => `auto:${chain}`)];
}

function findWithoutAlias(name: string, catalog: ServingCatalog): NamedModel | null {
  if (name === '' || name === 'auto') return auto([], catalog);
  const parts = /^auto(?::(.*))?$/i.exec(name);
  if (parts !== null) return auto((parts[1] ?? '').split('+'), catalog);
  const { models } = catalog;
  const isKey = models.some(({ modelKey }) => modelKey === name);
  if (isKey && leftOutNote(name, catalog) === null) return { kind: 'key', modelKey: name };
  const isResident = models.some(({ residents }) =>
    residents.some(({ instanceIdentifier }) => instanceIdentifier === name),
  );
  if (isResident) return { kind: 'instance', instanceIdentifier: name };
  const modelKey = keyOfOtherName(name, catalog);
  return modelKey === null ? null : { kind: 'key', modelKey };
}

/** The key by which the machine loads the model of a name that is not a key itself; null for other names. */
export function keyOfOtherName(name: string, { otherNames }: ServingCatalog): string | null {
  return Object.hasOwn(otherNames, name) ? (otherNames[name] ?? null) : null;
}

function auto(parts: readonly string[], { chains }: ServingCatalog): NamedModel {
  const tiers: Tier[] = [];
  const capabilities: string[] = [];
  let chain: string | null = null;
  for (const part of parts.map((one) => one.trim()).filter((one) => one !== '')) {
    const tier = TIERS.find((one) => one === part);
    if (tier !== undefined) tiers.push(tier);
    else if (Object.hasOwn(chains, part)) {
      if (chain !== null && chain !== part) {
        return meaningless(
          `"auto" takes one chain, and ${quoted(chain)} and ${quoted(part)} are two. Remove one of them.`,
        );
      }
      chain = part;
    } else if (CAPABILITIES.some((one) => one === part)) capabilities.push(part);
    else return unknownPart(part, Object.keys(chains));
  }
  return { kind: 'auto', tiers: tiers.length === 0 ? null : tiers, chain, capabilities };
}

function unknownPart(part: string, chains: readonly string[]): NamedModel {
  const nearest = nearestNames(part, [...TIERS, ...chains, ...CAPABILITIES]);
  const meant = nearest.length === 0 ? '' : ` Did you mean ${listed(nearest)}?`;
  return meaningless(
    `${quoted(part)} after "auto:" is not a tier (${TIERS.join(', ')}), a chain (${chains.join(', ')}) or a capability (${CAPABILITIES.join(', ')}).${meant}`,
  );
}

/** A name that means no model, also while the list of models is not complete. */
function meaningless(message: string): UnknownName {
  return { kind: 'unknown', message, mayExist: false };
}

/** Why a model cannot be served although its file is on this machine; null for other names. */
export function leftOutNote(name: string, { leftOut, models }: ServingCatalog): string | null {
  if (!Object.hasOwn(leftOut, name)) return null;
  // Another host may have a sound file, and LM Studio may have loaded a file that Mai would not offer.
  const isServed = models.some(
    ({ modelKey, downloaded, residents }) =>
      modelKey === name && (downloaded || residents.length > 0),
  );
  return isServed ? null : (leftOut[name] ?? null);
}

function unknown(name: string, catalog: ServingCatalog, followed: readonly string[]): NamedModel {
  const note = leftOutNote(name, catalog);
  if (note !== null) return meaningless(note);
  const known = catalog.models.flatMap(({ modelKey, residents }) => [
    modelKey,
    ...residents.map(({ instanceIdentifier }) => instanceIdentifier),
  ]);
  const aliases = catalog.aliases.map(({ pattern }) => pattern).filter((one) => !one.includes('*'));
  const nearest = nearestNames(name, [...known, ...autoNames(catalog), ...aliases]);
  const meant = nearest.length === 0 ? '' : ` Did you mean ${listed(nearest)}?`;
  const from = followed[0] === undefined ? '' : `, to which the alias ${quoted(followed[0])} leads`;
  const why = whyNotListed(catalog);
  if (why !== null) {
    const message = `Mai knows no model ${quoted(name)}${from} now.${meant} ${why}`;
    return { kind: 'unknown', message, mayExist: true };
  }
  return meaningless(
    `Mai knows no model ${quoted(name)}${from}.${meant} Ask for "auto", which is the model that fits now, or give this name a meaning in gateway.aliases of models.yaml.`,
  );
}

/** Whether a pattern matches a whole name. `*` stands for any text. */
function matches(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.toLowerCase().split('*');
  let left = name.toLowerCase();
  if (!left.startsWith(first)) return false;
  if (rest.length === 0) return left === first;
  left = left.slice(first.length);
  const last = rest.pop() ?? '';
  for (const part of rest) {
    const at = left.indexOf(part);
    if (at === -1) return false;
    left = left.slice(at + part.length);
  }
  return left.endsWith(last);
}

function listed(names: readonly string[]): string {
  return names.map(quoted).join(' or ');
}

function quoted(name: string): string {
  return JSON.stringify(shorten(name));
}
