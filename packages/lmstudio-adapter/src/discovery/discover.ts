import { checkRange } from '@mai/memory-ledger';
import { checkWholeNumber } from '../check-whole-number.js';
import { systemTimers } from '../timers.js';
import { DEFAULT_PORT, loopbackAddress, parseBaseUrl, type ServerAddress } from './base-url.js';
import { type HomeLookup, readNotedPort } from '../home/lmstudio-home.js';
import { type Probe, probeGreeting } from './probe.js';

/** The loopback ports on which the LM Studio app itself listens, in the SDK's order. */
export const APP_PORTS: readonly number[] = [41343, 52993, 16141, 39414, 22931];

/** How and where to look for LM Studio. */
export interface DiscoverOptions extends HomeLookup {
  /** The only address to try: http, https, ws or wss URL, or host:port. */
  readonly baseUrl?: string | undefined;
  /** Deadline of each probe in milliseconds, at least 0. Default: 500 on loopback, 2000 elsewhere. Probes run in parallel. */
  readonly timeoutMs?: number | undefined;
  /** Cancels the search. */
  readonly signal?: AbortSignal | undefined;
  /** Loopback ports to try in place of LM Studio's own, from 1 to 65535. */
  readonly ports?: readonly number[] | undefined;
}

/** The outcome of a search. */
export interface Discovery {
  /**
   * `ws://host:port` of the LM Studio that answered, the first in port order. `null`: no LM
   * Studio answered.
   */
  readonly baseUrl: string | null;
  /** `true` when `baseUrl` was given, so that no other address was tried. */
  readonly explicit: boolean;
  /** The addresses with a known outcome at the end of the search. */
  readonly probes: readonly Probe[];
}

const LOOPBACK_TIMEOUT_MS = 500;
const REMOTE_TIMEOUT_MS = 2000;

/**
 * Time that earlier ports of the list still have after one port has answered. One LM Studio listens
 * on several ports, and every search should return the same port.
 */
const EARLIER_PORT_GRACE_MS = 50;

/**
 * Looks for a running LM Studio: at the given address, or else on loopback at its five app ports, at
 * 1234 and at the port in its `http-server.json`, all in parallel. Where nothing runs, each port costs
 * one refused connection. Never loads the SDK.
 * @throws TypeError when `baseUrl` is malformed; RangeError for a port or a `timeoutMs` that cannot be; the signal's reason when
 * cancelled.
 */
export async function discover(options: DiscoverOptions = {}): Promise<Discovery> {
  const { signal, ports = [], timeoutMs = 0 } = options;
  checkRange('timeoutMs', timeoutMs, 0);
  for (const port of ports) checkWholeNumber('A port', port, 1, 65_535);
  signal?.throwIfAborted();
  if (options.baseUrl !== undefined) {
    const address = parseBaseUrl(options.baseUrl);
    const givenMs = options.timeoutMs ?? defaultProbeTimeoutMs(address);
    const probe = await probeGreeting(address, { timeoutMs: givenMs, signal });
    const baseUrl = probe.outcome === 'lmstudio' ? probe.baseUrl : null;
    return { baseUrl, explicit: true, probes: [probe] };
  }
  return probeLoopback(options);
}

/** Deadline of one probe. Loopback answers at once or never. A network may take longer. */
export function defaultProbeTimeoutMs(address: ServerAddress): number {
  return isLoopbackHost(address.host) ? LOOPBACK_TIMEOUT_MS : REMOTE_TIMEOUT_MS;
}

/** Whether a host name or address is this network namespace's loopback. */
export function isLoopbackHost(host: string): boolean {
  return (
    host === 'localhost' || host === '::1' || /^127\./.test(host) || host.endsWith('.localhost')
  );
}

async function probeLoopback(options: DiscoverOptions): Promise<Discovery> {
  const openProbes = new AbortController();
  const timeoutMs = options.timeoutMs ?? LOOPBACK_TIMEOUT_MS;
  const ports = [...new Set(options.ports ?? usualPorts(options))];
  const probes = new Map<number, Probe>();
  const stop = (): void => openProbes.abort(options.signal?.reason);
  let cancelGrace: (() => void) | undefined;
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
          signal: openProbes.signal,
        });
        probes.set(port, probe);
        if (probe.outcome === 'lmstudio') {
          cancelGrace ??= systemTimers.after(EARLIER_PORT_GRACE_MS, conclude);
        }
        // The first port that has answered or may still answer decides.
        const first = ports.find((one) => (probes.get(one)?.outcome ?? 'lmstudio') === 'lmstudio');
        if (first === undefined || probes.has(first)) conclude();
      };
      Promise.all(ports.map(tryPort)).then(
        conclude,
        // A probe rejects only when the caller has cancelled, or after the search has ended.
        () => reject(options.signal?.reason),
      );
    });
  } finally {
    cancelGrace?.();
    options.signal?.removeEventListener('abort', stop);
    openProbes.abort();
  }
}

function usualPorts(lookup: HomeLookup): readonly number[] {
  const noted = readNotedPort(lookup);
  return [...APP_PORTS, DEFAULT_PORT, ...(noted === null ? [] : [noted])];
}
