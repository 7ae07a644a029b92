import type { ServerResponse } from 'node:http';
import type { Clock } from '../../ports/clock.js';
import type { Failure, Protocol, WaitProgress } from '../../protocols/protocol.js';
import { NO_RETRY } from '../../protocols/openai/failures.js';
import type { AnswerSink } from '../../upstream/relay.js';
import type { HttpHead } from '../../upstream/http-client.js';
import { returnedHeaders } from '../../upstream/answer-headers.js';

/** Without it, nginx collects a stream before it passes it on (mostlygeek/llama-swap #236, ggml-org/llama.cpp #20872). */
const UNBUFFERED = { 'x-accel-buffering': 'no' };
/** Headers of a stream that begins before the runtime's own answer. */
const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache',
  ...UNBUFFERED,
};

const NEWLINE = 0x0a;

/** How long a client may leave sent bytes unread. */
export interface StallLimit {
  readonly clock: Clock;
  readonly stallMs: number;
}

/**
 * The answer to one client. Its state decides how the client gets a failure. While no byte was sent, the failure is the answer.
 * In a stream that has begun, it is the last event. Otherwise the connection is broken, because a clean end would look like success.
 */
export class ClientAnswer implements AnswerSink {
  readonly #response: ServerResponse;
  readonly #protocol: Protocol;
  readonly #headers: () => Readonly<Record<string, string>>;
  readonly #stall: StallLimit;
  #cancelStall: (() => void) | null = null;
  #state: 'open' | 'waiting' | 'streaming' | 'body' | 'ended' = 'open';
  /** Whether the last written bytes end an event. */
  #atEventEnd = true;

  /**
   * @param headers - headers of the gateway, read when the head is sent
   * @param stall - after this time without reading, the client's connection is closed
   */
  constructor(
    response: ServerResponse,
    protocol: Protocol,
    headers: () => Readonly<Record<string, string>>,
    stall: StallLimit,
  ) {
    this.#response = response;
    this.#protocol = protocol;
    this.#headers = headers;
    this.#stall = stall;
  }

  /** Whether the head was sent. */
  get begun(): boolean {
    return this.#state !== 'open';
  }

  /** HTTP status of the answer, as far as it was sent. */
  get status(): number {
    return this.#response.statusCode;
  }

  /** Whether no byte of the runtime's answer was sent. */
  get isWaiting(): boolean {
    return this.#state === 'open' || this.#state === 'waiting';
  }

  /**
   * Tells a waiting client its position. Begins the stream where it has not begun.
   *
   * @param headers - headers of the gateway that stay true whichever resident answers in the end
   */
  wait(progress: WaitProgress, headers: Readonly<Record<string, string>>): void {
    if (this.#state === 'open') {
      this.#response.writeHead(200, { ...STREAM_HEADERS, ...headers });
      this.#state = 'waiting';
    }
    // A client that does not read gets no further signs, which would pile up.
    if (this.#state === 'waiting' && !this.#response.writableNeedDrain) {
      this.#response.write(this.#protocol.waiting(progress));
    }
  }

  accepts(isStream: boolean): boolean {
    return this.#state !== 'waiting' || isStream;
  }

  begin(head: HttpHead, isStream: boolean): void {
    if (this.#state === 'open') {
      this.#response.writeHead(
        head.status,
        Object.assign(returnedHeaders(head.headers), isStream ? UNBUFFERED : {}, this.#headers()),
      );
    }
    this.#state = isStream || this.#state === 'waiting' ? 'streaming' : 'body';
  }

  write(chunk: Buffer, drained: () => void): boolean {
    const { length } = chunk;
    this.#atEventEnd = chunk[length - 1] === NEWLINE && chunk[length - 2] === NEWLINE;
    if (this.#response.write(chunk)) return true;
    this.#watchReader();
    this.#response.once('drain', drained);
    return false;
  }

  end(): void {
    this.#state = 'ended';
    this.#response.end();
    this.#watchReader();
  }

  /** Passes the runtime's refusal of the request on as it is. Only while no byte was sent. */
  passOn(head: HttpHead, body: Buffer): void {
    const isRetried = head.status >= 500;
    this.begin(isRetried ? { ...head, headers: { ...head.headers, ...NO_RETRY } } : head, false);
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
        this.#watchReader();
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

  /**
   * Closes the connection of a client that has not read its answer for too long. Otherwise its request would occupy the resident
   * without end. Does nothing while the client reads fast enough, which is the usual case.
   */
  #watchReader(): void {
    if (!this.#response.writableNeedDrain || this.#cancelStall !== null) return;
    const { clock, stallMs } = this.#stall;
    const stop = (): void => {
      this.#cancelStall?.();
      this.#cancelStall = null;
      this.#response.removeListener('drain', stop);
      this.#response.removeListener('finish', stop);
      this.#response.removeListener('close', stop);
    };
    this.#cancelStall = clock.setTimer(stallMs, () => {
      stop();
      this.#response.destroy();
    });
    this.#response.once('drain', stop).once('finish', stop).once('close', stop);
  }
}
