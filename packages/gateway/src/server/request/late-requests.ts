import { ServerResponse, type IncomingMessage, type Server } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { systemClock, type Clock } from '../../ports/clock.js';
import { createStallMeter } from './stall-meter.js';

/** Judges the requests that, for Node, have not arrived in time. */
export interface LateRequests {
  /** Calls `refuse` once the request that is being received at a connection is known to be late. Then the connection must end. */
  judge(socket: Duplex, refuse: () => void): void;
}

/** How long a client may take, in milliseconds. */
export interface ArrivalTimes {
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
}

/** Ticks of the stall measurement in the shorter one of the two time limits. */
const TICKS_PER_TIMEOUT = 20;

/** A connection whose request is late, unless it arrives now. */
interface Suspect {
  /** The request that is being received; null while its headers are. */
  request: IncomingMessage | null;
  /** Whether the time for the body is still to come. */
  awaitsHeaders: boolean;
  cancel: () => void;
}

/**
 * Judges late requests by the client's time, not by this process's.
 *
 * Node measures until it has read a request. Where the process was suspended or got no CPU time, its timers run before it reads what has
 * arrived meanwhile, and a client that sends much could not send on, because nobody read. So:
 *
 * 1. Whatever has arrived is read before the request is judged.
 * 2. The client gets the time back in which this process did not run, at most a whole `requestTimeoutMs`.
 * 3. Where the process stalls again in this time, the same holds for that stall.
 * 4. Where the headers arrive in this time, the body gets the time that is left of `requestTimeoutMs`.
 *
 * A client cannot lengthen its own time: bytes that arrive late change nothing, only the whole request does.
 */
export function createLateRequests(
  server: Server | HttpsServer,
  { headersTimeoutMs, requestTimeoutMs }: ArrivalTimes,
  clock: Clock = systemClock,
): LateRequests {
  const tickMs = Math.ceil(Math.min(headersTimeoutMs, requestTimeoutMs) / TICKS_PER_TIMEOUT);
  const windowMs = 2 * Math.max(headersTimeoutMs, requestTimeoutMs);
  const meter = createStallMeter(clock, tickMs, windowMs);
  const suspects = new Map<Duplex, Suspect>();
  server.on('close', () => {
    meter.stop();
    for (const { cancel } of suspects.values()) cancel();
    suspects.clear();
  });
  server.on('request', (request: IncomingMessage) => {
    // Empty at almost every request.
    if (suspects.size === 0) return;
    const suspect = suspects.get(request.socket);
    if (suspect !== undefined) suspect.request ??= request;
  });
  /** The time that a late request still gets. */
  const leftMs = (suspect: Suspect, sinceMs: number): number => {
    const { request } = suspect;
    if (request?.complete === true) return 0;
    const bodyMs =
      suspect.awaitsHeaders && request !== null ? requestTimeoutMs - headersTimeoutMs : 0;
    if (bodyMs > 0) suspect.awaitsHeaders = false;
    const stalledMs = meter.stalledMs(sinceMs);
    return Math.max(bodyMs, stalledMs > tickMs ? Math.min(stalledMs, requestTimeoutMs) : 0);
  };
  const wait = (socket: Duplex, suspect: Suspect, ms: number, refuse: () => void): void => {
    const fromMs = clock.monotonicMs();
    suspect.cancel = clock.setTimer(ms + tickMs, () => {
      afterReading(() => {
        if (suspects.get(socket) !== suspect) return;
        const moreMs = leftMs(suspect, fromMs);
        if (moreMs > 0) {
          wait(socket, suspect, moreMs, refuse);
          return;
        }
        suspects.delete(socket);
        if (suspect.request?.complete !== true) refuse();
      });
    });
  };
  return {
    judge: (socket, refuse) => {
      suspects.get(socket)?.cancel();
      const request = receivedAt(socket);
      const awaitsHeaders = request === null;
      const suspect: Suspect = { request, awaitsHeaders, cancel: () => undefined };
      suspects.set(socket, suspect);
      socket.once('close', () => {
        if (suspects.get(socket) === suspect) suspects.delete(socket);
        suspect.cancel();
      });
      wait(socket, suspect, leftMs(suspect, clock.monotonicMs() - windowMs), refuse);
    },
  };
}

/**
 * Runs `next` after everything that has arrived was read. Otherwise a request that has just arrived would be cut off.
 *
 * An immediate that is set while sockets are read runs before the next reading, so it takes two of them.
 */
export function afterReading(next: () => void): void {
  setImmediate(() => setImmediate(next));
}

/** The answer whose turn it is at a connection. Node keeps it there. */
export function answerAt(socket: Duplex): ServerResponse | null {
  const answer: unknown = Reflect.get(socket, '_httpMessage');
  return answer instanceof ServerResponse ? answer : null;
}

/** The request whose body is being received. */
function receivedAt(socket: Duplex): IncomingMessage | null {
  const request = answerAt(socket)?.req ?? null;
  return request === null || request.complete ? null : request;
}
