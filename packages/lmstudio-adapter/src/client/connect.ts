import { parseBaseUrl, type ServerAddress } from '../discovery/base-url.js';
import { readVersion } from '../machine/inspect-machine.js';
import type { ConnectOptions, LMStudioClient } from './client-types.js';
import { clientOf } from './client.js';
import type { Connection } from '../wire/connection.js';
import { apiTokenOf, credentialsOf } from './credentials.js';
import { explain } from '../discovery/diagnose.js';
import { discover } from '../discovery/discover.js';
import { findLMStudioHome } from '../discovery/lmstudio-home.js';
import { LMStudioError } from '../errors.js';
import { hostFacts } from '../machine/host-facts.js';
import { realTimers } from '../timers.js';
import { Budget } from '../wire/deadline.js';
import { SessionPool } from '../wire/session-pool.js';

const DEFAULT_TIMEOUT_MS = 5000;

/**
 * Finds LM Studio (the given address, or discovery on loopback), checks that it answers and lets
 * this client in, and returns a client.
 * @throws LMStudioError `UNREACHABLE` (with `state` and what to do), `UNAUTHORIZED`, `INCOMPATIBLE`,
 * `TIMED_OUT`; TypeError when `baseUrl` is malformed; the signal's reason when cancelled.
 */
export async function connect(options: ConnectOptions = {}): Promise<LMStudioClient> {
  options.signal?.throwIfAborted();
  // One deadline over finding it and being let in.
  const budget = Budget.of(realTimers, options, DEFAULT_TIMEOUT_MS);
  const apiToken = apiTokenOf({ ...options, env: options.env ?? process.env });
  const address = await locate(options);
  const pool = new SessionPool({
    webSocketUrl: address.webSocketUrl,
    // Only now: random identifiers load Node's whole crypto module.
    credentials: credentialsOf(apiToken, options.clientIdentifier),
    timers: realTimers,
    // The SDK is large: it is loaded by the first call that needs it.
    loadWire: async () => (await import('../sdk-door.js')).openSdkWire,
  });
  const connection: Connection = {
    address,
    pool,
    timers: realTimers,
    timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    bearerToken: apiToken,
    loadConfigs: new Map(),
  };
  try {
    const [connectedVersion, host] = await Promise.all([
      readVersion(connection, budget),
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
  // A given address may be far away or busy; on loopback something answers at once or nothing does.
  const discovery = {
    ...options,
    timeoutMs: options.baseUrl === undefined ? Math.min(timeoutMs, 1000) : timeoutMs,
  };
  const { baseUrl, probes } = await discover(discovery);
  if (baseUrl !== null) return parseBaseUrl(baseUrl);
  const { state, message } = await explain(null, probes, findLMStudioHome(options), discovery);
  const code =
    state === 'unauthorized'
      ? 'UNAUTHORIZED'
      : state === 'something-else'
        ? 'INCOMPATIBLE'
        : 'UNREACHABLE';
  const asked = options.baseUrl === undefined ? null : parseBaseUrl(options.baseUrl).webSocketUrl;
  throw new LMStudioError(code, message, { baseUrl: asked, state });
}
