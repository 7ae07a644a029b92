/**
 * Number of sockets and timers that keep this process alive, by type. The test runner has some,
 * too, so a test compares two counts.
 */
export function openHandles(): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const type of process.getActiveResourcesInfo()) {
    if (!/TCP|Timeout|TLS|GetAddrInfo|FSReq|Pipe/.test(type)) continue;
    counts[type] = (counts[type] ?? 0) + 1;
  }
  return counts;
}

/** Waits up to 2 s until at most as many handles are open as before. Resolves with the open handles. */
export async function handlesBackTo(
  before: Readonly<Record<string, number>>,
): Promise<Readonly<Record<string, number>>> {
  for (let turn = 0; turn < 100; turn++) {
    const extra = difference(openHandles(), before);
    if (Object.keys(extra).length === 0) return extra;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return difference(openHandles(), before);
}

function difference(
  now: Readonly<Record<string, number>>,
  before: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(now)
      .map(([type, count]) => [type, count - (before[type] ?? 0)] as const)
      .filter(([, extra]) => extra > 0),
  );
}
