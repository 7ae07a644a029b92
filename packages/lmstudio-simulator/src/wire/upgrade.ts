import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocketServer } from 'ws';
import type { SimulatedFrame } from '../simulator.js';
import type { Namespace } from './endpoint.js';
import { serveSocket, type SessionOptions } from './session.js';

/** What each session needs. Its namespace is the path of the request. */
export interface UpgradeParts extends Pick<
  SessionOptions,
  'authenticator' | 'clock' | 'faults' | 'log'
> {
  readonly webSockets: WebSocketServer;
  readonly namespaces: ReadonlyMap<string, Namespace>;
  readonly onFrame: (frame: SimulatedFrame) => void;
}

/** Serves a request to change to WebSocket. */
export function upgrade(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  { webSockets, namespaces, onFrame, ...session }: UpgradeParts,
): void {
  const { faults } = session;
  const namespaceName = (request.url ?? '/').slice(1);
  const namespace = namespaces.get(namespaceName);
  if (faults.trigger('refuse-upgrade') ?? faults.trigger('not-lm-studio')) {
    socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    return;
  }
  // LM Studio does not answer the upgrade of an unknown path, so the client waits forever.
  if (namespace === undefined || faults.trigger('ignore-upgrade')) {
    // Node notices the end of a socket only while the socket is being read.
    socket.resume();
    socket.once('end', () => socket.end());
    return;
  }
  webSockets.handleUpgrade(request, socket, head, (webSocket) => {
    serveSocket(webSocket, {
      ...session,
      namespaceName,
      namespace,
      onFrame: (direction, frame) => onFrame({ namespace: namespaceName, direction, frame }),
    });
  });
}
