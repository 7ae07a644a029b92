import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../ports/clock.js';
import type { ControlEvent } from './control-event.js';
import type { EventLog } from './event-log.js';

/** The streams of `/api/mai/events`. */
export interface EventStreams {
  /**
   * Streams events until the client leaves, or is no longer allowed to read them. Returns false where too many streams
   * are open.
   *
   * @param isAllowed - asked once a second: the session may have ended, or its key may have been removed
   */
  open(
    request: IncomingMessage,
    response: ServerResponse,
    headers: Readonly<Record<string, string>>,
    isAllowed: () => Promise<boolean>,
  ): boolean;
  /** Ends every stream. */
  close(): void;
}

const STREAMS_MAX = 64;
/** Proxies close a connection on which nothing is sent for a minute. */
const HEARTBEAT_MS = 15_000;
/** How often a stream checks whether its client is still allowed to read. */
const CHECK_MS = 1000;
/** How long a browser waits before it connects again. */
const RETRY_MS = 1000;
/** A client that leaves this many bytes unread is cut off. It resumes when it connects again. */
const UNREAD_BYTES_MAX = 1_048_576;

/** Creates the streams of a log. */
export function createEventStreams(log: EventLog, clock: Clock): EventStreams {
  const open = new Set<() => void>();
  return {
    open: (request, response, headers, isAllowed) => {
      if (open.size >= STREAMS_MAX) return false;
      response.writeHead(200, {
        ...headers,
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-cache, no-transform',
        // Without it, nginx collects the events before it passes them on.
        'x-accel-buffering': 'no',
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
      let cancelCheck: () => void = () => undefined;
      const check = async (): Promise<void> => {
        if (!(await isAllowed())) end();
        else if (open.has(end)) cancelCheck = clock.setTimer(CHECK_MS, () => void check());
      };
      const end = (): void => {
        cancel();
        cancelCheck();
        unsubscribe();
        open.delete(end);
        response.end();
      };
      open.add(end);
      cancelCheck = clock.setTimer(CHECK_MS, () => void check());
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
