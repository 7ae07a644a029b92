/** Version of a nats-server. */
export interface NatsServerVersion {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

/** Reads what `nats-server --version` prints, such as `nats-server: v2.9.10`. Null where it holds no version. */
export function parseNatsServerVersion(text: string): NatsServerVersion | null {
  const match = /\bv?(\d+)\.(\d+)\.(\d+)/.exec(text);
  if (match === null) return null;
  const [major, minor, patch] = match.slice(1).map(Number);
  if (major === undefined || minor === undefined || patch === undefined) return null;
  return { major, minor, patch };
}

/**
 * A warning about a nats-server that lacks a security fix, or null.
 *
 * CVE-2025-30215: nats-server does not check the account of some JetStream requests, so a user of one account can manage the
 * streams of another. It is fixed in 2.10.27 and 2.11.1. The users of a fleet may not publish these requests, but others
 * who share the server may.
 */
export function natsServerWarning(version: NatsServerVersion): string | null {
  const { major, minor, patch } = version;
  if (major > 2 || (major === 2 && minor > 11)) return null;
  if (major === 2 && minor === 11 && patch >= 1) return null;
  if (major === 2 && minor === 10 && patch >= 27) return null;
  return (
    `nats-server ${major}.${minor}.${patch} lacks the fix of CVE-2025-30215. ` +
    'Install 2.10.27 or newer; of the 2.11 versions, 2.11.1 or newer.'
  );
}
