import { connect, type Socket } from 'node:net';

import { systemTimers } from '../timers.js';
import type { ServerAddress } from './base-url.js';

/** The outcome of one HTTP request. Network faults are values, not exceptions. */
export type HttpOutcome =
  | { readonly kind: 'answered'; readonly status: number; readonly json: unknown }
  /** Nothing listens there. */
  | { readonly kind: 'refused' }
  /** The name does not resolve, or no route leads there. */
  | { readonly kind: 'no-such-host'; readonly detail: string }
  | { readonly kind: 'timed-out' }
  /** The server does not speak HTTP, or closed the connection. */
  | { readonly kind: 'broken'; readonly detail: string };

/**
 * The deadline of one request, or its cancellation. Not an AbortSignal, because a search asks six ports, and Node takes longer for
 * the events of a signal than for a refused connection.
 */
interface Deadline {
  isOver: boolean;
  /** Called once when the deadline is over. Null: nobody waits. */
  onOver: (() => void) | null;
}

const MAX_BODY_BYTES = 16 * 1024 * 1024;
const UNROUTABLE = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
]);

/**
 * GETs a JSON document. The deadline includes name resolution. `node:http` is loaded after the
 * TCP connection is open, so a closed port costs one refused connection and loads no module.
 * Rejects only with the signal's reason.
 */
export async function getJson(
  address: ServerAddress,
  path: string,
  options: {
    readonly timeoutMs: number;
    readonly signal?: AbortSignal | undefined;
    readonly bearerToken?: string | null | undefined;
  },
): Promise<HttpOutcome> {
  const { signal, timeoutMs } = options;
  signal?.throwIfAborted();
  const deadline: Deadline = { isOver: false, onOver: null };
  const onAbort = (): void => {
    deadline.isOver = true;
    deadline.onOver?.();
  };
  const cancelTimer = systemTimers.after(timeoutMs, onAbort);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const outcome = address.secure
      ? await request(address, path, null, deadline, options.bearerToken ?? null)
      : await overTcp(address, path, deadline, options.bearerToken ?? null);
    signal?.throwIfAborted();
    return outcome;
  } finally {
    cancelTimer();
    signal?.removeEventListener('abort', onAbort);
  }
}

async function overTcp(
  address: ServerAddress,
  path: string,
  deadline: Deadline,
  token: string | null,
): Promise<HttpOutcome> {
  const connected = await connectTcp(address, deadline);
  if ('kind' in connected) return connected;
  try {
    return await request(address, path, connected.socket, deadline, token);
  } finally {
    connected.socket.destroy();
  }
}

function connectTcp(
  address: ServerAddress,
  deadline: Deadline,
): Promise<{ readonly socket: Socket } | HttpOutcome> {
  return new Promise((resolve) => {
    const socket = connect({ host: address.host, port: address.port });
    const settle = (result: { readonly socket: Socket } | HttpOutcome): void => {
      if (deadline.onOver === onDeadline) deadline.onOver = null;
      if ('kind' in result) socket.destroy();
      resolve(result);
    };
    const onDeadline = (): void => settle({ kind: 'timed-out' });
    if (deadline.isOver) onDeadline();
    else deadline.onOver = onDeadline;
    // This listener is not removed, because an error on a socket without a listener would end the process.
    socket.on('error', (error) => settle(failure(error)));
    socket.once('connect', () => settle({ socket }));
  });
}

async function request(
  address: ServerAddress,
  path: string,
  socket: Socket | null,
  deadline: Deadline,
  token: string | null,
): Promise<HttpOutcome> {
  const http = address.secure ? await import('node:https') : await import('node:http');
  return new Promise((resolve) => {
    const settle = (outcome: HttpOutcome): void => {
      if (deadline.onOver === onDeadline) deadline.onOver = null;
      outgoing.destroy();
      resolve(outcome);
    };
    const onDeadline = (): void => settle({ kind: 'timed-out' });
    const outgoing = http.request(
      `${address.httpUrl}${path}`,
      {
        agent: false,
        headers: {
          accept: 'application/json',
          connection: 'close',
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        },
        ...(socket === null ? {} : { createConnection: () => socket }),
      },
      (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          bytes += chunk.length;
          if (bytes > MAX_BODY_BYTES) settle({ kind: 'broken', detail: 'the answer is too large' });
        });
        response.on('error', (error) => settle(failure(error)));
        response.on('end', () =>
          settle({
            kind: 'answered',
            status: response.statusCode ?? 0,
            json: parseJson(Buffer.concat(chunks).toString('utf8')),
          }),
        );
      },
    );
    outgoing.on('error', (error) => settle(failure(error)));
    if (deadline.isOver) onDeadline();
    else deadline.onOver = onDeadline;
    outgoing.end();
  });
}

function failure(error: Error): HttpOutcome {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  // Where a name has several addresses, Node throws one AggregateError, which also has a `code`.
  if (code === 'ECONNREFUSED') return { kind: 'refused' };
  if (code === 'ETIMEDOUT') return { kind: 'timed-out' };
  if (code !== undefined && UNROUTABLE.has(code)) return { kind: 'no-such-host', detail: code };
  return { kind: 'broken', detail: code ?? error.message };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
