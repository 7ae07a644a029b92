import { CAPABILITIES, TIERS } from '@mai/memory-ledger';
import { didYouMeanSentence } from './did-you-mean.js';
import { type Finding, type PathStep, quote, unknownReference } from './issue.js';
import { valueAt } from './raw-value.js';

const AUTO = 'auto';

/** Finds aliases whose target names a chain, a category, a capability, a model or an alias that does not exist. */
export function checkAliases(
  raw: unknown,
  {
    modelKeys,
    chainNames,
  }: { readonly modelKeys: readonly string[]; readonly chainNames: readonly string[] },
): Finding[] {
  const aliases = valueAt(raw, ['gateway', 'aliases']);
  if (typeof aliases !== 'object' || aliases === null || Array.isArray(aliases)) return [];
  // A file without a `default` chain gets one, so a reference to it is valid.
  const names = [...new Set([...chainNames, 'default', ...TIERS, ...CAPABILITIES])];
  return Object.entries(aliases).flatMap(([pattern, target]): Finding[] => {
    const path = ['gateway', 'aliases', pattern];
    if (typeof target !== 'string' || target.trim() === '' || target === AUTO) return [];
    if (!target.startsWith(`${AUTO}:`)) {
      const others = Object.keys(aliases).filter((other) => other !== pattern);
      return checkModel(path, target, [...modelKeys, ...others]);
    }
    const parts = target.slice(AUTO.length + 1).split('+');
    const wrong = parts.findIndex((part) => !names.includes(part));
    const part = parts[wrong];
    if (part === undefined) return [];
    const offers = names
      .filter((name) => !parts.includes(name))
      .map((name) => `${AUTO}:${parts.with(wrong, name).join('+')}`);
    return unknownReference(
      path,
      `there is no chain, category or capability ${quote(part)}`,
      didYouMeanSentence(target, offers) ?? `known: ${names.join(', ')}`,
    );
  });
}

function checkModel(
  path: readonly PathStep[],
  target: string,
  names: readonly string[],
): Finding[] {
  // A variant (key@q4_k_m) of a configured model has that model's configuration.
  if (names.includes(target) || names.includes(target.replace(/@[^@]*$/, ''))) return [];
  return unknownReference(
    path,
    `no model ${quote(target)} is configured`,
    didYouMeanSentence(target, [AUTO, ...names]) ?? 'add it under models, or write auto',
  );
}
