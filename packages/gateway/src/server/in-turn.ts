import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

/** Requests of one connection that wait for their turn. No known client sends a request before the last one is answered. */
const WAITING_MAX = 64;

/**
 * Handles the requests of a connection one after the other. A client may send several at once (HTTP/1.1 pipelining), and Node would
 * begin all of them. Then one connection would have any number of requests running, and those behind the first would not notice
 * that the client has gone: Node reports this only to the answer whose turn it is.
 */
export function createInTurn(handle: Handle): Handle {
  const waiting = new WeakMap<Socket, number>();
  return (request, response) => {
    // The answer whose turn it is has the connection.
    if (response.socket !== null || response.closed) {
      handle(request, response);
      return;
    }
    const { socket } = request;
    const count = (waiting.get(socket) ?? 0) + 1;
    if (count > WAITING_MAX) {
      socket.destroy();
      return;
    }
    waiting.set(socket, count);
    response.once('socket', () => {
      waiting.set(socket, (waiting.get(socket) ?? 1) - 1);
      handle(request, response);
    });
  };
}
