import { systemClock, type Clock } from '../clock.js';
import type { FleetConnection } from '../nats/connection.js';
import type { NatsMessage } from '../nats/nats-door.js';
import { isHostName, lastToken, servedSubject, type HostMethod } from '../nats/subjects.js';
import type { Decoded } from '../state/decoded.js';
import { createGrants } from './grants.js';
import {
  decodeAcquire,
  decodeAwait,
  decodeTickets,
  type Outcome,
  type Renewal,
} from './lease-codec.js';
import type { LeaseGrantPort, LeaseServer } from './lease-types.js';

export interface ServeLeasesOptions {
  /** The epoch of this start, as `Members.epoch`. */
  readonly epoch: string;
  readonly clock?: Clock;
  /** A lease ends this long after its last renewal. Default 10,000. */
  readonly ttlMs?: number;
}

const LEASE_TTL_MS = 10_000;
/** A request whose load takes longer is answered with a promise. */
const PROMISE_AFTER_MS = 250;
/** An `await` is answered at the latest after this time, with another promise where the load still goes on. */
const AWAIT_MS = 3000;

/** Answers the other hosts' requests for leases. Each lease ends by this host's own monotonic clock. */
export function serveLeases(
  connection: FleetConnection,
  port: LeaseGrantPort,
  options: ServeLeasesOptions,
): LeaseServer {
  const { epoch, clock = systemClock, ttlMs = LEASE_TTL_MS } = options;
  const grants = createGrants({ epoch, clock, ttlMs, port });

  const serve = <T>(
    method: HostMethod,
    decode: (data: Uint8Array) => Decoded<T>,
    answer: (asker: string, message: T) => Promise<Outcome> | Renewal,
  ): (() => void) =>
    connection.subscribe(servedSubject(connection.host, method), (message) => {
      void respond(message, decode, answer);
    });

  const respond = async <T>(
    { subject, data, respond: send }: NatsMessage,
    decode: (data: Uint8Array) => Decoded<T>,
    answer: (asker: string, message: T) => Promise<Outcome> | Renewal,
  ): Promise<void> => {
    const asker = lastToken(subject);
    if (send === null || !isHostName(asker)) return;
    const decoded = decode(data);
    send(
      JSON.stringify(
        decoded.ok
          ? await answer(asker, decoded.value)
          : ({
              kind: 'refused',
              epoch,
              reason: 'BAD_REQUEST',
              message: `The request cannot be read: ${decoded.reason}.`,
              figures: {},
            } satisfies Outcome),
      ),
    );
  };

  const ends = [
    serve(
      'acquire',
      decodeAcquire,
      async (asker, message) =>
        grants.begin(asker, message) ??
        (await grants.outcome(asker, message.ticket, PROMISE_AFTER_MS)),
    ),
    serve('await', decodeAwait, (asker, { ticket }) => grants.outcome(asker, ticket, AWAIT_MS)),
    serve('renew', decodeTickets, (asker, { tickets }) => ({
      epoch,
      ttlMs,
      ended: tickets.filter((ticket) => !grants.renew(asker, ticket)),
    })),
    serve('release', decodeTickets, (asker, { tickets }) => {
      for (const ticket of tickets) grants.end(asker, ticket);
      return { epoch, ttlMs, ended: tickets };
    }),
  ];

  return {
    isHonoured: (token, asker) => grants.find(token, asker) !== null,
    residentOf: (token, asker) => grants.find(token, asker),
    endOf: (token) => grants.endOf(token),
    began: (token) => grants.began(token),
    list: () => grants.list(),
    drain: () => grants.drain(),
    [Symbol.asyncDispose]: async () => {
      for (const end of ends) end();
      await grants.stop();
    },
  };
}
