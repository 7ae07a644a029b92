import type { PeerCertificate } from 'node:tls';

import { pause, type Clock } from '../clock.js';
import { expiryFault, type FleetCredentials } from './credentials.js';
import { openNatsLink, type NatsLink } from './nats-door.js';
import { inboxPrefix } from './subjects.js';

const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 10_000;

export interface KeptLinkOptions {
  readonly host: string;
  /** URLs of the servers, read at each attempt. */
  readonly servers: () => readonly string[];
  readonly credentials: FleetCredentials | null;
  /** Checks the certificate of a server, after TLS has found that it is genuine. An error ends the connection. */
  readonly checkServer: (certificate: PeerCertificate) => Error | undefined;
  readonly clock: Clock;
  /** Called with each new link before `onConnected`. */
  readonly onOpened: (link: NatsLink) => void;
  /** Called after each connection, also where a link has connected again. */
  readonly onConnected: () => void;
  /** Called when the connection breaks, and after each attempt that failed. */
  readonly onBroken: () => void;
}

/** A link to NATS that is opened again after its end, with a longer pause after each failure. */
export interface KeptLink extends AsyncDisposable {
  /** Null while there is none. A link that lost its connection is kept, because its client connects again by itself. */
  readonly link: NatsLink | null;
  readonly connected: boolean;
  /** Why the last attempt to connect failed; null while connected, and where no attempt gave a reason. */
  readonly fault: Error | null;
}

export function keepLink(options: KeptLinkOptions): KeptLink {
  const { host, credentials, checkServer, clock, onOpened, onConnected, onBroken } = options;
  const stop = new AbortController();
  let link: NatsLink | null = null;
  let connected = false;
  let fault: Error | null = null;

  /** nats-server ends a connection with an expired certificate without a word, so the reason is looked for here. */
  const noteFault = async (error: unknown): Promise<void> => {
    const expired = credentials === null ? null : await expiryFault(credentials, clock.nowMs());
    if (!connected) fault = expired ?? (error instanceof Error ? error : new Error(String(error)));
  };

  const open = (): Promise<NatsLink> =>
    openNatsLink({
      servers: options.servers(),
      name: `mai ${host}`,
      inboxPrefix: inboxPrefix(host),
      credentials,
      checkServer,
      onStatus: (status) => {
        if (stop.signal.aborted) return;
        connected = status === 'connected';
        if (connected) {
          fault = null;
          onConnected();
        } else onBroken();
      },
      onFault: (error) => {
        // While there is a connection, the server reports a subject that this host may not use.
        if (!connected) void noteFault(error);
      },
    });

  const keep = async (): Promise<void> => {
    let retryMs = FIRST_RETRY_MS;
    while (!stop.signal.aborted) {
      try {
        const opened = await open();
        if (stop.signal.aborted) {
          await opened.close();
          return;
        }
        link = opened;
        connected = true;
        fault = null;
        retryMs = FIRST_RETRY_MS;
        onOpened(opened);
        onConnected();
        // The client of NATS reconnects by itself, so `closed` resolves only when it gives up.
        fault = await opened.closed;
        connected = false;
      } catch (error) {
        connected = false;
        await noteFault(error);
      }
      link = null;
      onBroken();
      await pause(clock, retryMs, stop.signal);
      retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
    }
  };
  void keep();

  return {
    get link() {
      return link;
    },
    get connected() {
      return connected;
    },
    get fault() {
      return fault;
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      connected = false;
      await link?.close();
      link = null;
    },
  };
}
