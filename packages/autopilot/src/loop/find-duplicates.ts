import type { Resident } from '@mai/selector';

/** Models that are loaded more than once. */
export function findDuplicates(
  residents: readonly Resident[],
): { readonly modelKey: string; readonly instanceIdentifiers: readonly string[] }[] {
  const copies = new Map<string, string[]>();
  for (const { modelKey, instanceIdentifier } of residents) {
    copies.set(modelKey, [...(copies.get(modelKey) ?? []), instanceIdentifier]);
  }
  return [...copies]
    .filter(([, identifiers]) => identifiers.length > 1)
    .map(([modelKey, instanceIdentifiers]) => ({ modelKey, instanceIdentifiers }));
}
