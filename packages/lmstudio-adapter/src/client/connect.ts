import { parseBaseUrl, type ServerAddress } from '../discovery/base-url.js';
import { readVersion } from '../machine/inspect-machine.js';
import type { ConnectOptions, LMStudioClient } from './client-types.js';
import { clientOf } from './client.js';
import type { Connection } from '../wire/connection.js';
import { apiTokenOf, credentialsOf } from './credentials.js';
import { diagnose } from '../discovery/diagnose.js';
import { discover } from '../discovery/discover.js';
import { LMStudioError } from '../errors.js';
import { hostFacts } from '../machine/host-facts.js';
import { systemTimers } from '../timers.js';
import { Deadline } from '../wire/deadline.js';
import { SessionPool } from '../wire/session-pool.js';

const DEFAULT_TIMEOUT_MS = 5000;

/**
 * Connects to LM Studio at the given address, or at the address that `discover` finds on loopback.
 * Checks that LM Studio answers and accepts this client.
 * @throws LMStudioError `UNREACHABLE` (with `state` and what to do), `UNAUTHORIZED`,
 * `INCOMPATIBLE`, `TIMED_OUT`; TypeError when `baseUrl` is malformed; RangeError for a port or a `timeoutMs` that cannot be; the
 * signal's reason when cancelled.
 */
export async function connect(options: ConnectOptions = {}): Promise<LMStudioClient> {
  options.signal?.throwIfAborted();
  // One deadline for discovery and authentication together.
  const deadline = Deadline.of(systemTimers, options, DEFAULT_TIMEOUT_MS);
  const apiToken = apiTokenOf({ ...options, env: options.env ?? process.env });
  const address = await locate(options);
  const pool = new SessionPool({
    webSocketUrl: address.webSocketUrl,
    newCredentials: () => credentialsOf(apiToken, options.clientIdentifier),
    timers: systemTimers,
    // The SDK is large, so it is not loaded before the first call that needs it.
    loadWire: async () => (await import('../sdk-door.js')).openSdkWire,
  });
  const connection: Connection = {
    address,
    pool,
    timers: systemTimers,
    timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    bearerToken: apiToken,
    loadConfigs: new Map(),
    variants: new Map(),
    paths: new Map(),
  };
  try {
    const [connectedVersion, host] = await Promise.all([
      readVersion(connection, deadline),
      hostFacts(address.webSocketUrl),
    ]);
    return clientOf(connection, connectedVersion, host);
  } catch (error) {
    await pool.close();
    throw error;
  }
}

async function locate(options: ConnectOptions): Promise<ServerAddress> {
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  // Deadline of the first request. A given address may be far away or busy. Loopback answers at once or never.
  const discovery = {
    ...options,
    timeoutMs: options.baseUrl === undefined ? Math.min(timeoutMs, 1000) : timeoutMs,
  };
  const found = await discover(discovery);
  if (found.baseUrl !== null) return parseBaseUrl(found.baseUrl);
  const { state, message } = await diagnose(found, discovery);
  const code =
    state === 'unauthorized'
      ? 'UNAUTHORIZED'
      : state === 'something-else'
        ? 'INCOMPATIBLE'
        : 'UNREACHABLE';
  const asked = options.baseUrl === undefined ? null : parseBaseUrl(options.baseUrl).webSocketUrl;
  throw new LMStudioError(code, message, { baseUrl: asked, state });
}
