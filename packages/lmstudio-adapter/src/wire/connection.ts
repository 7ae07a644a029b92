import type { ServerAddress } from '../discovery/base-url.js';
import { defaultProbeTimeoutMs } from '../discovery/discover.js';
import { probeGreeting } from '../discovery/probe.js';
import { LMStudioError, type LMStudioErrorFacts } from '../errors.js';
import type { Timers } from '../timers.js';
import { isCallFault } from './call-fault.js';
import { type CallOptions, Deadline } from './deadline.js';
import type { SessionPool } from './session-pool.js';
import type { RawConfigField } from './wire.js';

/** One LM Studio and the means to call it. Each function that asks LM Studio takes a connection. */
export interface Connection {
  readonly address: ServerAddress;
  readonly pool: SessionPool;
  readonly timers: Timers;
  /** Deadline in milliseconds of a call without a deadline of its own. */
  readonly timeoutMs: number;
  readonly bearerToken: string | null;
  /** Load configurations by instance reference. An instance keeps its configuration for its life. */
  readonly loadConfigs: Map<string, readonly RawConfigField[]>;
  /** Model keys and selected variants, by the keys of all variants that were listed or loaded. */
  readonly variants: Map<string, { readonly modelKey: string; readonly selected: string | null }>;
  /** Paths of models of LM Studio's hub, by model and selected variant. */
  readonly paths: Map<string, string>;
}

/** The deadline of one method call. */
export function deadlineOf(connection: Connection, options: CallOptions | undefined): Deadline {
  return Deadline.of(connection.timers, options, connection.timeoutMs);
}

/**
 * Asks for LM Studio's greeting over HTTP, and throws where no greeting comes. Every command does this first. A
 * WebSocket to a host that drops packets would stay pending, but the greeting fails quickly.
 */
export async function requireReachable(connection: Connection, deadline: Deadline): Promise<void> {
  const { address } = connection;
  const timeoutMs = Math.min(deadline.leftMs, 4 * defaultProbeTimeoutMs(address));
  const probe = await probeGreeting(address, { timeoutMs, signal: deadline.signal });
  switch (probe.outcome) {
    case 'lmstudio':
      return;
    case 'unauthorized':
      throw unauthorized(address, probe.detail);
    case 'something-else':
      throw new LMStudioError(
        'INCOMPATIBLE',
        `${address.httpUrl} answers, but not as LM Studio (${probe.detail ?? 'unknown answer'}). Check the address. 'lms server status' prints the port in use.`,
        { baseUrl: address.webSocketUrl },
      );
    case 'refused':
    case 'timed-out':
    case 'no-such-host':
      throw unreachable(address, REASONS[probe.outcome]);
  }
}

const REASONS = {
  refused: 'connection refused',
  'timed-out': 'no answer in time',
  'no-such-host': 'the host name does not resolve, or no route leads there',
} as const;

/** The error for an LM Studio that does not answer. */
function unreachable(
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

function unauthorized(
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

/**
 * The `LMStudioError` for a failed call. `doing` completes 'LM Studio could not ...'. Anything but a
 * `CallFault` (a cancellation, an error that is ready for the caller) is returned unchanged.
 */
export function toLMStudioError(
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
        `LM Studio at ${address.webSocketUrl} does not understand the request to ${doing}. Update LM Studio, then try again.`,
        { ...where, serverMessage: error.message },
      );
    case 'unauthorized':
      return unauthorized(address, error.message, error);
    case 'connection': {
      // 4xx: a proxy that does not pass WebSockets on, or a server without this path. 5xx does
      // not count as incompatible, because a proxy answers with 5xx while LM Studio starts.
      const status = /Unexpected server response: (4\d\d)/.exec(error.message)?.[1];
      return status === undefined
        ? unreachable(address, error.message, where)
        : new LMStudioError(
            'INCOMPATIBLE',
            `LM Studio at ${address.webSocketUrl} answers, but refuses WebSocket connections (HTTP ${status}). Check the address, and that a proxy in front of LM Studio passes WebSockets on.`,
            { ...where, serverMessage: error.message },
          );
    }
    case 'closed':
      return new LMStudioError(
        'UNREACHABLE',
        `The client was closed while LM Studio was asked to ${doing}. Connect again.`,
        where,
      );
    case 'answered':
      return new LMStudioError(
        'INCOMPATIBLE',
        `LM Studio at ${address.webSocketUrl} refused to ${doing}: ${asSentence(error.message)} Restart LM Studio if it keeps refusing, or update it.`,
        { ...where, serverMessage: error.message },
      );
  }
}

/** A message of LM Studio with a full stop, so that another sentence can follow. */
export function asSentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** Runs a call and turns its fault into an `LMStudioError` with `toLMStudioError`. */
export async function withLMStudioErrors<T>(
  connection: Connection,
  doing: string,
  run: () => Promise<T>,
): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw toLMStudioError(error, connection, doing);
  }
}
