import { randomBytes } from 'node:crypto';

import { pause, systemClock, type Clock } from '../clock.js';
import { FleetError } from '../fleet-error.js';
import type { FleetConnection } from '../nats/connection.js';
import { requestSubject, type HostMethod } from '../nats/subjects.js';
import type { Decoded } from '../state/decoded.js';
import { createHeldLeases } from './held-leases.js';
import { decodeOutcome, decodeRenewal, MAX_DEADLINE_MS, type Outcome } from './lease-codec.js';
import type { HeldLease, LeaseAnswer, LeaseAsker, LeaseRefusal } from './lease-types.js';

export interface AskLeasesOptions {
  readonly clock?: Clock;
  /** Called with every direct answer of a host, for `Members.noteAnswer`. */
  readonly onAnswer?: (host: string, epoch: string) => void;
}

/** A host answers `acquire` within 250 ms and `await` within 3 s; the rest is for a slow machine and network. */
const ANSWER_TIMEOUT_MS = 8000;
const RELEASE_TIMEOUT_MS = 2000;
const RETRY_MS = 250;

/** Asks other hosts for leases and keeps those that it gets. */
export function askLeases(connection: FleetConnection, options: AskLeasesOptions = {}): LeaseAsker {
  const { clock = systemClock, onAnswer = () => undefined } = options;
  const stop = new AbortController();

  const call = async <T extends { readonly epoch: string }>(
    host: string,
    method: HostMethod,
    message: object,
    decode: (data: Uint8Array) => Decoded<T>,
    limits: { readonly timeoutMs: number; readonly signal: AbortSignal | null },
  ): Promise<T> => {
    const data = await connection.request(
      requestSubject(host, method, connection.host),
      JSON.stringify(message),
      limits,
    );
    const decoded = decode(data);
    if (!decoded.ok)
      throw new FleetError(
        'FLEET_UNREACHABLE',
        `The answer of host ${host} to ${method} cannot be read: ${decoded.reason}.`,
      );
    onAnswer(host, decoded.value.epoch);
    return decoded.value;
  };

  /** Ends requests and leases. A host that does not answer ends them by itself. */
  const release = async (host: string, tickets: readonly string[]): Promise<void> => {
    await call(host, 'release', { tickets }, decodeRenewal, {
      timeoutMs: RELEASE_TIMEOUT_MS,
      signal: null,
    }).catch(() => undefined);
  };

  const held = createHeldLeases({
    clock,
    renew: (host, tickets, timeoutMs) =>
      call(host, 'renew', { tickets }, decodeRenewal, {
        timeoutMs,
        // A signal of its own for each call, because Node warns of a leak where more than ten calls listen to one signal.
        signal: AbortSignal.any([stop.signal]),
      }),
    release,
  });

  return {
    acquire: async (host, request, { deadlineMs, signal: callers }) => {
      callers?.throwIfAborted();
      const signal = AbortSignal.any(
        callers === undefined ? [stop.signal] : [callers, stop.signal],
      );
      const deadlineAtMs = clock.monotonicMs() + Math.min(deadlineMs, MAX_DEADLINE_MS);
      const ticket = randomBytes(16).toString('hex');
      const remainingMs = (): number => Math.ceil(deadlineAtMs - clock.monotonicMs());

      const send = async (method: 'acquire' | 'await', message: object): Promise<Sent> => {
        const sentAtMs = clock.monotonicMs();
        const outcome = await call(host, method, message, decodeOutcome, {
          timeoutMs: Math.max(1, Math.min(ANSWER_TIMEOUT_MS, remainingMs())),
          signal,
        });
        return { outcome, sentAtMs };
      };
      const settle = ({ outcome, sentAtMs }: Sent): Granted | LeaseRefusal | null => {
        if (outcome.kind === 'promised') return null;
        if (outcome.kind === 'refused') {
          const { reason, message, figures } = outcome;
          return { kind: 'refused', reason, message, figures };
        }
        return { kind: 'granted', lease: held.keep(host, ticket, outcome, sentAtMs) };
      };
      const giveUp = (): Promise<void> => release(host, [ticket]);

      /** Asks again until there is an outcome. One lost answer does not end a load that goes on. */
      const wait = async (): Promise<Granted | LeaseRefusal> => {
        try {
          for (let failures = 0; ;) {
            signal.throwIfAborted();
            if (remainingMs() <= 0) {
              void giveUp();
              return TIMED_OUT;
            }
            try {
              const settled = settle(await send('await', { ticket }));
              if (settled !== null) return settled;
              failures = 0;
            } catch (error) {
              failures += 1;
              if (signal.aborted || failures === MAX_FAILURES) throw error;
              await pause(clock, RETRY_MS, signal);
            }
          }
        } catch (error) {
          void giveUp();
          throw error;
        }
      };

      try {
        const sent = await send('acquire', { ticket, deadlineMs: remainingMs(), request });
        const settled = settle(sent);
        if (settled !== null) return settled;
        const { outcome } = sent;
        const granted = wait();
        // A caller that gives up may never read the outcome, so a rejection must not count as unhandled.
        granted.catch(() => undefined);
        return {
          kind: 'promised',
          expectedMs: outcome.kind === 'promised' ? outcome.expectedMs : null,
          granted: () => granted,
          cancel: giveUp,
        };
      } catch (error) {
        void giveUp();
        throw error;
      }
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort(new Error('The asker of leases is closed.'));
      await held.stop();
    },
  };
}

interface Sent {
  readonly outcome: Outcome;
  readonly sentAtMs: number;
}

type Granted = Extract<LeaseAnswer, { kind: 'granted' }> & { readonly lease: HeldLease };

const MAX_FAILURES = 3;

const TIMED_OUT: LeaseRefusal = {
  kind: 'refused',
  reason: 'TIMED_OUT',
  message: 'The model was not ready before the deadline.',
  figures: {},
};
