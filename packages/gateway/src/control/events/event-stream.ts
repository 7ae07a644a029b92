import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../ports/clock.js';
import type { ControlEvent } from './control-event.js';
import type { EventLog } from './event-log.js';

/** The streams of `/api/mai/events`. */
export interface EventStreams {
  /** Streams events until the client leaves. Returns false where too many streams are open. */
  open(
    request: IncomingMessage,
    response: ServerResponse,
    headers: Readonly<Record<string, string>>,
  ): boolean;
  /** Ends every stream. */
  close(): void;
}

const STREAMS_MAX = 64;
/** Proxies close a connection on which nothing is sent for a minute. */
const HEARTBEAT_MS = 15_000;
/** How long a browser waits before it connects again. */
const RETRY_MS = 1000;
/** A client that leaves this many bytes unread is cut off. It resumes when it connects again. */
const UNREAD_BYTES_MAX = 1_048_576;

/** Creates the streams of a log. */
export function createEventStreams(log: EventLog, clock: Clock): EventStreams {
  const open = new Set<() => void>();
  return {
    open: (request, response, headers) => {
      if (open.size >= STREAMS_MAX) return false;
      response.writeHead(200, {
        ...headers,
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-cache, no-transform',
      });
      response.write(`retry: ${RETRY_MS}\n\n`);
      const send = (text: string): void => {
        if (response.writableLength > UNREAD_BYTES_MAX) response.destroy();
        else response.write(text);
      };
      const { 'last-event-id': lastId } = request.headers;
      const unsubscribe = log.subscribe(
        typeof lastId === 'string' && lastId !== '' ? lastId : null,
        (event) => send(textOf(event)),
      );
      let cancel: () => void = () => undefined;
      const beat = (): void => {
        send(':\n\n');
        cancel = clock.setTimer(HEARTBEAT_MS, beat);
      };
      cancel = clock.setTimer(HEARTBEAT_MS, beat);
      const end = (): void => {
        cancel();
        unsubscribe();
        open.delete(end);
        response.end();
      };
      open.add(end);
      response.once('close', end);
      return true;
    },
    close: () => {
      for (const end of [...open]) end();
    },
  };
}

function textOf(event: ControlEvent): string {
  // JSON has no line breaks outside of strings, and escapes them inside.
  return `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}
