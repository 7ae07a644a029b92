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
 * Faults of nats-server that others of the fleet can use, and the first version of each line of versions that has the fix. Faults of what
 * Mai leaves off, such as WebSocket, MQTT and leaf nodes, are not listed. Later lines than those of an entry have the fix.
 *
 * - CVE-2025-30215: nats-server does not check the account of some JetStream requests, so a user of one account can manage the
 *   streams of another. The users of a fleet may not publish these requests, but others who share the server may.
 * - CVE-2026-33249: a header lets a host send the trace of a message to a subject that it may not publish to. 2.10 has no traces.
 */
const FAULTS = [
  { cve: 'CVE-2025-30215', since: [0, 0], fixed: ['2.10.27', '2.11.1'] },
  { cve: 'CVE-2026-33249', since: [2, 11], fixed: ['2.11.15', '2.12.6'] },
] as const;

/** A warning about a nats-server that lacks a security fix, or null. */
export function natsServerWarning(version: NatsServerVersion): string | null {
  const missing = FAULTS.filter((fault) => hasFault(version, fault));
  if (missing.length === 0) return null;
  const { major, minor, patch } = version;
  const names = missing.map(({ cve }) => cve).join(' and ');
  return (
    `nats-server ${major}.${minor}.${patch} lacks the fix of ${names}. ` +
    `Install ${versionsWithoutFaults().join(', ')} or a newer one of the same line, or a later line.`
  );
}

/** The first version of each line that has none of the faults. */
function versionsWithoutFaults(): readonly string[] {
  const fixed = FAULTS.flatMap((fault) => [...fault.fixed]);
  return fixed.filter((text) => {
    const version = parseNatsServerVersion(text);
    return version !== null && !FAULTS.some((fault) => hasFault(version, fault));
  });
}

function hasFault(
  { major, minor, patch }: NatsServerVersion,
  { since, fixed }: (typeof FAULTS)[number],
): boolean {
  const line = major * 1000 + minor;
  if (line < since[0] * 1000 + since[1]) return false;
  const fixes = fixed.map((text) => text.split('.').map(Number));
  const lineOf = ([one = 0, two = 0]: number[]): number => one * 1000 + two;
  const own = fixes.find((fix) => lineOf(fix) === line);
  if (own !== undefined) return patch < (own[2] ?? 0);
  return line < Math.max(...fixes.map(lineOf));
}
