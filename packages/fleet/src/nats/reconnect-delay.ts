const WAIT_MS = 250;
const JITTER_MS = 750;
const MAX_DOUBLINGS = 4;
/** Without a connection for so long, the servers are down rather than overloaded. */
const DOWN_MS = 10_000;

/**
 * Milliseconds until the next attempt to connect: 0.25 to 1 s.
 *
 * A connection that breaks soon is a sign of an overloaded server. Each such connection in a row doubles the wait, up to 16 times. A server
 * that is killed breaks connections as well, and three that are killed one after another break three in a row. So after ten seconds
 * without a connection the wait is doubled once at most, and a host is back two seconds after a server is.
 *
 * @param shortLives - connections in a row that broke soon
 * @param downMs - time since the last connection broke
 * @param random - 0 to 1
 */
export function reconnectDelayMs(shortLives: number, downMs: number, random: number): number {
  const doublings = Math.min(shortLives, downMs >= DOWN_MS ? 1 : MAX_DOUBLINGS);
  return (WAIT_MS + random * JITTER_MS) * 2 ** doublings;
}
