import type { ServerResponse } from 'node:http';
import type { Failure, Protocol, WaitProgress } from '../protocols/protocol.js';
import type { AnswerSink } from '../upstream/relay.js';
import type { HttpHead } from '../upstream/http-client.js';
import { isEventStream } from '../upstream/relay.js';
import { returnedHeaders } from '../upstream/headers.js';

/** Headers of a stream that begins before the runtime's own answer. */
const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache',
  connection: 'keep-alive',
};

const NEWLINE = 0x0a;

/**
 * The answer to one client. Its state decides how a failure is told: as an answer while no byte was sent, as the last
 * event of a stream that has begun, and otherwise by a broken connection, never by a clean end.
 */
export class ClientAnswer implements AnswerSink {
  readonly #response: ServerResponse;
  readonly #protocol: Protocol;
  readonly #headers: () => Readonly<Record<string, string>>;
  #state: 'open' | 'waiting' | 'streaming' | 'body' | 'ended' = 'open';
  /** Whether the last written bytes end an event. */
  #atEventEnd = true;

  /** @param headers - headers of the gateway, read when the head is sent */
  constructor(
    response: ServerResponse,
    protocol: Protocol,
    headers: () => Readonly<Record<string, string>>,
  ) {
    this.#response = response;
    this.#protocol = protocol;
    this.#headers = headers;
  }

  /** Whether the head was sent. */
  get begun(): boolean {
    return this.#state !== 'open';
  }

  /** HTTP status of the answer, as far as it was sent. */
  get status(): number {
    return this.#response.statusCode;
  }

  /** Tells a waiting client its position. Begins the stream where it has not begun. */
  wait(progress: WaitProgress): void {
    if (this.#state === 'open') {
      this.#response.writeHead(200, { ...STREAM_HEADERS, ...this.#headers() });
      this.#state = 'waiting';
    }
    // A client that does not read gets no further signs, which would pile up.
    if (this.#state === 'waiting' && !this.#response.writableNeedDrain) {
      this.#response.write(this.#protocol.waiting(progress));
    }
  }

  begin(head: HttpHead): void {
    const streams = isEventStream(head);
    if (this.#state === 'open') {
      this.#response.writeHead(
        head.status,
        Object.assign(returnedHeaders(head.headers), this.#headers()),
      );
    }
    this.#state = streams || this.#state === 'waiting' ? 'streaming' : 'body';
  }

  write(chunk: Buffer, drained: () => void): boolean {
    const { length } = chunk;
    this.#atEventEnd = chunk[length - 1] === NEWLINE && chunk[length - 2] === NEWLINE;
    if (this.#response.write(chunk)) return true;
    this.#response.once('drain', drained);
    return false;
  }

  end(): void {
    this.#state = 'ended';
    this.#response.end();
  }

  /** Passes an answer of the runtime on as it is. Only while no byte was sent. */
  passOn(head: HttpHead, body: Buffer): void {
    this.begin(head);
    this.#response.write(body);
    this.end();
  }

  /** Tells a failure in the form that the state of the answer allows. */
  fail(failure: Failure): void {
    switch (this.#state) {
      case 'open': {
        const { status, headers, body } = this.#protocol.failure(failure);
        this.#response.writeHead(status, { ...headers, ...this.#headers() });
        this.#response.end(body);
        break;
      }
      case 'waiting':
      case 'streaming':
        this.#response.end(
          (this.#atEventEnd ? '' : '\n\n') + this.#protocol.streamFailure(failure),
        );
        break;
      case 'body':
        // A half JSON document must not look complete.
        this.#response.destroy();
        break;
      case 'ended':
        break;
    }
    this.#state = 'ended';
  }
}
