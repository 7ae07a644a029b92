/** Separates the identifier of a resident from its host. Neither LM Studio nor the embedded engine puts it into a name. */
const MARK = '@host:';

/** A resident, and the host that it is on. */
export interface LocatedInstance {
  readonly host: string;
  readonly instanceIdentifier: string;
}

/** The name by which clients of this machine's gateway know a resident of another host: `mai/qwen3-4b@host:attic`. */
export function nameOfInstance({ host, instanceIdentifier }: LocatedInstance): string {
  return `${instanceIdentifier}${MARK}${host}`;
}

/** The resident of a name. A name without a host means a resident of `ownHost`. */
export function locateInstance(name: string, ownHost: string): LocatedInstance {
  const at = name.lastIndexOf(MARK);
  return at === -1
    ? { host: ownHost, instanceIdentifier: name }
    : { host: name.slice(at + MARK.length), instanceIdentifier: name.slice(0, at) };
}
