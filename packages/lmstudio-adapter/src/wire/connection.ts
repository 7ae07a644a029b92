import type { ServerAddress } from '../discovery/base-url.js';
import { defaultProbeTimeoutMs } from '../discovery/discover.js';
import { probeGreeting } from '../discovery/probe.js';
import { LMStudioError, type LMStudioErrorFacts } from '../errors.js';
import type { CallOptions } from '../models/model-types.js';
import type { Timers } from '../timers.js';
import { Budget } from './deadline.js';
import { isCallFault } from './call-fault.js';
import type { RawConfigField } from './wire.js';
import type { SessionPool } from './session-pool.js';

/** What every call works with. */
export interface Connection {
  readonly address: ServerAddress;
  readonly pool: SessionPool;
  readonly timers: Timers;
  /** Deadline of a call unless it says otherwise, in milliseconds. */
  readonly timeoutMs: number;
  readonly bearerToken: string | null;
  /** Load configurations by instance reference: they hold for the life of an instance. */
  readonly loadConfigs: Map<string, readonly RawConfigField[]>;
}

export function budgetOf(connection: Connection, options: CallOptions | undefined): Budget {
  return Budget.of(connection.timers, options, connection.timeoutMs);
}

/**
 * Asks for the greeting. It precedes every command: it is the prompt answer to 'is it up?', where a
 * WebSocket to a host that drops packets would stay open for ever.
 */
export async function requireReachable(connection: Connection, budget: Budget): Promise<void> {
  const { address } = connection;
  const timeoutMs = Math.min(budget.leftMs, 4 * defaultProbeTimeoutMs(address));
  const probe = await probeGreeting(address, { timeoutMs, signal: budget.signal });
  switch (probe.outcome) {
    case 'lmstudio':
      return;
    case 'unauthorized':
      throw unauthorized(address, probe.detail);
    case 'something-else':
      throw new LMStudioError(
        'INCOMPATIBLE',
        `${address.httpUrl} answers, but not as LM Studio (${probe.detail ?? 'unknown answer'}). Check the address; 'lms server status' prints the port in use.`,
        { baseUrl: address.webSocketUrl },
      );
    case 'refused':
    case 'timed-out':
    case 'no-such-host':
      throw unreachable(address, probe.outcome);
  }
}

export function unreachable(
  address: ServerAddress,
  why: string,
  facts: Partial<LMStudioErrorFacts> & { readonly cause?: unknown } = {},
): LMStudioError {
  return new LMStudioError(
    'UNREACHABLE',
    `LM Studio at ${address.webSocketUrl} cannot be reached (${why}). Start its server with 'lms server start', or check the address.`,
    { baseUrl: address.webSocketUrl, ...facts },
  );
}

export function unauthorized(
  address: ServerAddress,
  serverMessage: string | null,
  cause?: unknown,
): LMStudioError {
  return new LMStudioError(
    'UNAUTHORIZED',
    `LM Studio at ${address.webSocketUrl} refused the client${serverMessage === null ? '' : `: ${serverMessage.replace(/\.+$/, '')}`}. Create an API token in LM Studio (Developer, Server Settings) and set it as LM_API_TOKEN.`,
    { baseUrl: address.webSocketUrl, serverMessage, cause },
  );
}

/** Puts a failed call in the caller's terms; anything else (a cancellation) passes unchanged. */
export function inCallersTerms(
  error: unknown,
  connection: Connection,
  doing: string,
  facts: Partial<LMStudioErrorFacts> = {},
): unknown {
  if (!isCallFault(error)) return error;
  const { address } = connection;
  const where = { baseUrl: address.webSocketUrl, cause: error, ...facts };
  switch (error.kind) {
    case 'timed-out':
      return new LMStudioError(
        'TIMED_OUT',
        `LM Studio at ${address.webSocketUrl} took too long to ${doing}: ${error.message}. Try again with a longer timeout, or restart LM Studio if it stays silent.`,
        where,
      );
    case 'not-understood':
      return new LMStudioError(
        'INCOMPATIBLE',
        `This LM Studio does not understand the request to ${doing}. Update LM Studio, then try again.`,
        { ...where, serverMessage: error.message },
      );
    case 'unauthorized':
      return unauthorized(address, error.message, error);
    case 'connection': {
      // A proxy that passes requests on but no WebSockets, or a server that has no such path. While
      // LM Studio starts, 5xx come from what is in front of it.
      const status = /Unexpected server response: (4\d\d)/.exec(error.message)?.[1];
      return status === undefined
        ? unreachable(address, error.message, where)
        : new LMStudioError(
            'INCOMPATIBLE',
            `LM Studio at ${address.webSocketUrl} answers, but refuses WebSocket connections (HTTP ${status}). Check the address, and that a proxy in front of it passes WebSockets on.`,
            { ...where, serverMessage: error.message },
          );
    }
    case 'closed':
      return new LMStudioError(
        'UNREACHABLE',
        `The connection to LM Studio was closed while it was asked to ${doing}. Connect again.`,
        where,
      );
    case 'answered':
      return new LMStudioError('INCOMPATIBLE', `LM Studio would not ${doing}: ${error.message}`, {
        ...where,
        serverMessage: error.message,
      });
  }
}

/** Runs a call and translates its fault. */
export async function translated<T>(
  connection: Connection,
  doing: string,
  run: () => Promise<T>,
): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw inCallersTerms(error, connection, doing);
  }
}
