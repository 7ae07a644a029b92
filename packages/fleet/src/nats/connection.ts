import { setMaxListeners } from 'node:events';

import { systemClock, type Clock } from '../clock.js';
import { FleetError } from '../fleet-error.js';
import { keyFingerprint } from '../certificates/issue.js';
import type { FleetCredentials } from './credentials.js';
import { keepLink } from './kept-link.js';
import {
  isUnserved,
  type BucketOptions,
  type NatsBucket,
  type NatsLink,
  type NatsMessage,
} from './nats-door.js';
import { isHostName } from './subjects.js';

/** The NATS servers of a fleet. */
export interface FleetServers {
  /** URLs such as `tls://10.0.0.7:4222`, in the order in which they are tried. */
  readonly servers: readonly string[];
  /**
   * SHA-256 of public keys (SPKI in DER), in hexadecimal digits. A server that shows such a key is refused, although its
   * certificate is genuine: its host was removed, or has another key now. Default: none.
   */
  readonly revokedKeys?: readonly string[];
}

export interface ConnectFleetOptions extends FleetServers {
  /** Name of this host. */
  readonly host: string;
  readonly credentials: FleetCredentials | null;
  readonly clock?: Clock;
}

/** The functions of NATS that membership and leases use. They can be called before a server answers. */
export interface FleetConnection extends AsyncDisposable {
  readonly host: string;
  /**
   * Whether the connection was good when it was last checked. A broken network is noticed late; `roundTrip` checks now.
   */
  readonly connected: boolean;
  /** Host and port of the server of the connection; null without one. */
  readonly server: string | null;
  /** Leaves the server of the connection for another one of the fleet, by its URL. */
  moveTo(server: string): void;
  /** Why the last attempt to connect failed; null while connected, and where no attempt gave a reason. */
  readonly fault: Error | null;
  /** Sends a message where there is a connection, and drops it otherwise. */
  publish(subject: string, data: string): void;
  /** Receives messages whenever there is a connection. Returns a function that ends the subscription. */
  subscribe(subject: string, onMessage: (message: NatsMessage) => void): () => void;
  /**
   * One request and its answer.
   *
   * @throws FleetError `FLEET_UNREACHABLE` where there is no connection, nobody serves the subject, or no answer comes
   *   in time; the signal's reason
   */
  request(
    subject: string,
    data: string,
    options: { readonly timeoutMs: number; readonly signal: AbortSignal | null },
  ): Promise<Uint8Array>;
  /** Whether a server answers a ping before the deadline. */
  roundTrip(options: {
    readonly deadlineMs: number;
    readonly signal: AbortSignal | null;
  }): Promise<boolean>;
  /** The bucket, created where it is missing. @throws FleetError `FLEET_UNREACHABLE` */
  bucket(name: string, options: BucketOptions): Promise<NatsBucket>;
  /**
   * Uses these servers from now on. Where the server of the connection is not among them, the connection moves to one of
   * them.
   */
  useServers(servers: FleetServers): void;
  /** Calls `listener` after each connection, also the first, and at once where there is one now. Returns a function that ends it. */
  onConnected(listener: () => void): () => void;
}

/**
 * Connects a host to the fleet's NATS. Does not wait for a server: where none answers, attempts go on in the background.
 *
 * @throws FleetError `FILE_UNUSABLE` where the name of the host or the list of servers cannot be used
 */
export async function connectFleet(options: ConnectFleetOptions): Promise<FleetConnection> {
  const { host, credentials, clock = systemClock } = options;
  let { servers, revokedKeys = [] } = options;
  if (!isHostName(host))
    throw new FleetError(
      'FILE_UNUSABLE',
      `${JSON.stringify(host)} cannot be the name of a host: use 1 to 63 lower-case letters, digits and dashes.`,
    );
  if (servers.length === 0)
    throw new FleetError('FILE_UNUSABLE', 'The fleet has no NATS server: name at least one URL.');

  const subscriptions = new Set<Subscription>();
  const listeners = new Set<() => void>();
  /** Fires when the connection breaks. No answer comes then, and a request may go elsewhere. */
  let broken = newSignal();
  const breakRequests = (): void => {
    const last = broken;
    broken = newSignal();
    last.abort(unreachable(servers, new Error('the connection broke')));
  };
  const attach = (subscription: Subscription, link: NatsLink | null): void => {
    subscription.end = link?.subscribe(subscription.subject, subscription.onMessage) ?? null;
  };
  const kept = keepLink({
    host,
    servers: () => servers,
    credentials,
    checkServer: ({ raw }) =>
      revokedKeys.includes(keyFingerprint(raw))
        ? new Error('This NATS server belongs to a host that was removed from the fleet.')
        : undefined,
    clock,
    onOpened: (link) => {
      for (const subscription of subscriptions) attach(subscription, link);
    },
    onConnected: () => {
      for (const listener of [...listeners]) listener();
    },
    onBroken: breakRequests,
  });
  /** The link, where it is connected. */
  const connectedLink = (): NatsLink | null => (kept.connected ? kept.link : null);
  const needLink = (): NatsLink => {
    const link = connectedLink();
    if (link === null) throw unreachable(servers, kept.fault);
    return link;
  };

  return Promise.resolve({
    host,
    get connected() {
      return kept.connected;
    },
    get server() {
      return connectedLink()?.server() ?? null;
    },
    moveTo: (server) => kept.link?.moveTo(server),
    get fault() {
      return kept.fault;
    },
    publish: (subject, data) => {
      // While the NATS client reconnects, it accepts messages and sends some of them late.
      connectedLink()?.publish(subject, data);
    },
    subscribe: (subject, onMessage) => {
      const subscription: Subscription = { subject, onMessage, end: null };
      subscriptions.add(subscription);
      attach(subscription, kept.link);
      return () => {
        subscriptions.delete(subscription);
        subscription.end?.();
      };
    },
    request: async (subject, data, { timeoutMs, signal }) => {
      signal?.throwIfAborted();
      const answer = needLink()
        .request(subject, data, timeoutMs)
        .catch((error: unknown) => {
          const what = isUnserved(error)
            ? `Nobody serves ${subject}.`
            : `No answer on ${subject} within ${timeoutMs} ms.`;
          throw new FleetError('FLEET_UNREACHABLE', what, { cause: error });
        });
      const ends = signal === null ? broken.signal : AbortSignal.any([signal, broken.signal]);
      return untilAborted(answer, ends);
    },
    roundTrip: async ({ deadlineMs, signal }) => {
      signal?.throwIfAborted();
      const link = connectedLink();
      if (link === null) return false;
      const answered = link.roundTrip().then(
        () => true,
        () => false,
      );
      return untilAborted(
        Promise.race([answered, after(clock, deadlineMs, false, answered)]),
        signal,
      );
    },
    bucket: async (name, bucketOptions) => {
      try {
        return await needLink().bucket(name, bucketOptions);
      } catch (error) {
        throw unreachable(servers, error);
      }
    },
    useServers: (next) => {
      ({ servers, revokedKeys = [] } = next);
      kept.link?.useServers(servers);
    },
    onConnected: (listener) => {
      listeners.add(listener);
      if (kept.connected) listener();
      return () => listeners.delete(listener);
    },
    [Symbol.asyncDispose]: () => kept[Symbol.asyncDispose](),
  });
}

/** A controller for any number of requests. */
function newSignal(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}

interface Subscription {
  readonly subject: string;
  readonly onMessage: (message: NatsMessage) => void;
  end: (() => void) | null;
}

function unreachable(servers: readonly string[], cause: unknown): FleetError {
  const reason = cause instanceof Error ? ` (${cause.message})` : '';
  return new FleetError(
    'FLEET_UNREACHABLE',
    `The fleet's NATS server at ${servers.join(', ')} does not answer${reason}. This machine goes on alone.`,
    { cause },
  );
}

/** Resolves with `value` after `ms`. The timer ends as soon as `other` settles. */
function after<T>(clock: Clock, ms: number, value: T, other: Promise<unknown>): Promise<T> {
  return new Promise((resolve) => {
    const cancel = clock.setTimer(ms, () => resolve(value));
    void other.finally(cancel);
  });
}

/** The promise's outcome, or the signal's reason where the signal fires first. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | null): Promise<T> {
  if (signal === null) return promise;
  return new Promise((resolve, reject) => {
    // The caller's own reason, which may be any value.
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
