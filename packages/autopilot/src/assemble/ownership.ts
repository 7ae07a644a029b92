/**
 * What the identifier of every instance that Mai loads starts with; the rest is its model key. It is
 * the only sign of ownership that survives a restart and that a Mai on another machine can see.
 */
export const IDENTIFIER_PREFIX = 'mai/';

/** Whether the runtime's instance was loaded by somebody else. */
export function isForeign(instance: {
  readonly instanceIdentifier: string;
  readonly modelKey: string;
}): boolean {
  // LM Studio names an instance after its model key ('key', 'key:2') where nobody asked for a name;
  // a publisher called 'mai' must not make those ours.
  const namedByRuntime =
    instance.instanceIdentifier === instance.modelKey ||
    instance.instanceIdentifier.startsWith(`${instance.modelKey}:`);
  return namedByRuntime || !instance.instanceIdentifier.startsWith(IDENTIFIER_PREFIX);
}

/** The identifier for a new instance of `modelKey` that none of `taken` has. */
export function chooseIdentifier(modelKey: string, taken: Iterable<string>): string {
  const used = new Set(taken);
  const first = `${IDENTIFIER_PREFIX}${modelKey}`;
  let identifier = first;
  // An identifier must be unique: while the old copy still drains the new one takes a suffix.
  for (let copy = 2; used.has(identifier); copy += 1) identifier = `${first}#${copy}`;
  return identifier;
}
