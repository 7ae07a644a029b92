import { refersTo, type ReportedKeys } from '@mai/memory-ledger';

/**
 * The identifier of every instance that Mai loads is this prefix and the model key. So ownership is known after
 * a restart and from other machines.
 */
export const IDENTIFIER_PREFIX = 'mai/';

/** Whether an instance was not loaded by Mai. */
export function isForeign(instance: {
  readonly instanceIdentifier: string;
  readonly modelKey: string;
}): boolean {
  // By default LM Studio names instances after their model key ('key', 'key:2', 'key@q8_0'). If the publisher is named
  // 'mai', such an identifier starts with our prefix, although the instance is foreign.
  const namedByRuntime =
    instance.instanceIdentifier === instance.modelKey ||
    SUFFIXES.some((suffix) =>
      instance.instanceIdentifier.startsWith(`${instance.modelKey}${suffix}`),
    );
  return namedByRuntime || !instance.instanceIdentifier.startsWith(IDENTIFIER_PREFIX);
}

/** LM Studio's suffixes of a second copy and of a variant. */
const SUFFIXES = [':', '@'];

/** Whether the name in a pin means this instance: its identifier, or a key that `refersTo` it. */
export function isNamedBy(
  target: string,
  instance: ReportedKeys & { readonly instanceIdentifier: string },
): boolean {
  return target === instance.instanceIdentifier || refersTo(target, instance);
}

/** A free identifier for a new instance of `modelKey`. */
export function chooseIdentifier(modelKey: string, taken: Iterable<string>): string {
  const used = new Set(taken);
  const first = `${IDENTIFIER_PREFIX}${modelKey}`;
  let identifier = first;
  // While an older copy is still loaded, the new copy gets a suffix.
  for (let copy = 2; used.has(identifier); copy += 1) identifier = `${first}#${copy}`;
  return identifier;
}
