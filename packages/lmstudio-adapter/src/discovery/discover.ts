import { DEFAULT_PORT, loopbackAddress, parseBaseUrl, type ServerAddress } from './base-url.js';
import { type HomeLookup, readNotedPort } from './lmstudio-home.js';
import { type Probe, probeGreeting } from './probe.js';

/** The loopback ports on which the LM Studio app itself listens (the SDK's own list). */
export const APP_PORTS: readonly number[] = [41343, 52993, 16141, 39414, 22931];

/** How and where to look for LM Studio. */
export interface DiscoverOptions extends HomeLookup {
  /** Only look here: http, https, ws, wss URL or host:port. */
  readonly baseUrl?: string | undefined;
  /** Deadline of each probe; all run at the same time. 500 on this machine, 2000 for another host. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Loopback ports to try instead of LM Studio's own. */
  readonly ports?: readonly number[] | undefined;
}

/** What discovery found. */
export interface Discovery {
  /** `ws://host:port` of the LM Studio that answered, the first in the list of several; `null`: none did. */
  readonly baseUrl: string | null;
  /** `true` when only the given address was tried. */
  readonly explicit: boolean;
  /** Every address that had answered or failed by then. */
  readonly probes: readonly Probe[];
}

const LOOPBACK_TIMEOUT_MS = 500;
/** One LM Studio may answer on several ports; so long those are waited for that come first in the list. */
const PREFERENCE_MS = 50;
const REMOTE_TIMEOUT_MS = 2000;

/**
 * Looks for a running LM Studio: the given address, or else on loopback LM Studio's five app ports,
 * 1234 and the port in its `http-server.json`, all at the same time. Of several that answer it is always the
 * same one. Costs a refused connection each when nothing runs, and never loads the SDK.
 * @throws TypeError when `baseUrl` is malformed; the signal's reason when cancelled.
 */
export async function discover(options: DiscoverOptions = {}): Promise<Discovery> {
  const { signal } = options;
  signal?.throwIfAborted();
  if (options.baseUrl !== undefined) {
    const address = parseBaseUrl(options.baseUrl);
    const timeoutMs = options.timeoutMs ?? defaultProbeTimeoutMs(address);
    const probe = await probeGreeting(address, { timeoutMs, signal });
    const baseUrl = probe.outcome === 'lmstudio' ? probe.baseUrl : null;
    return { baseUrl, explicit: true, probes: [probe] };
  }
  return probeLoopback(options);
}

/** Loopback answers at once or not at all; a network may need a while. */
export function defaultProbeTimeoutMs(address: ServerAddress): number {
  return isLoopbackHost(address.host) ? LOOPBACK_TIMEOUT_MS : REMOTE_TIMEOUT_MS;
}

/** Whether a host name or address means this network namespace itself. */
export function isLoopbackHost(host: string): boolean {
  return (
    host === 'localhost' || host === '::1' || /^127\./.test(host) || host.endsWith('.localhost')
  );
}

async function probeLoopback(options: DiscoverOptions): Promise<Discovery> {
  const rest = new AbortController();
  const timeoutMs = options.timeoutMs ?? LOOPBACK_TIMEOUT_MS;
  const ports = [...new Set(options.ports ?? usualPorts(options))];
  const probes = new Map<number, Probe>();
  const stop = (): void => rest.abort(options.signal?.reason);
  let patience: NodeJS.Timeout | undefined;
  options.signal?.addEventListener('abort', stop, { once: true });
  try {
    return await new Promise<Discovery>((resolve, reject) => {
      const conclude = (): void => {
        const first = ports.find((port) => probes.get(port)?.outcome === 'lmstudio');
        const baseUrl = first === undefined ? null : (probes.get(first)?.baseUrl ?? null);
        resolve({ baseUrl, explicit: false, probes: [...probes.values()] });
      };
      const tryPort = async (port: number): Promise<void> => {
        const probe = await probeGreeting(loopbackAddress(port), {
          timeoutMs,
          signal: rest.signal,
        });
        probes.set(port, probe);
        if (probe.outcome === 'lmstudio') patience ??= setTimeout(conclude, PREFERENCE_MS);
        const open = ports.find((one) => (probes.get(one)?.outcome ?? 'lmstudio') === 'lmstudio');
        if (open === undefined || probes.has(open)) conclude();
      };
      Promise.all(ports.map(tryPort)).then(
        conclude,
        // Only an abort rejects a probe: ours after a win, or the caller's.
        () => reject(options.signal?.reason as Error),
      );
    });
  } finally {
    clearTimeout(patience);
    options.signal?.removeEventListener('abort', stop);
    rest.abort();
  }
}

function usualPorts(lookup: HomeLookup): readonly number[] {
  const noted = readNotedPort(lookup);
  return [...APP_PORTS, DEFAULT_PORT, ...(noted === null ? [] : [noted])];
}
