import type { Socket } from 'node:net';
import { decodeValue, encodeValue } from './encode-value.js';

/** The callbacks of a line socket. */
export interface LineHandlers {
  /** Called with each message, already decoded. */
  readonly onMessage: (message: unknown) => void;
  /** Called once, at the end of the connection. `fault` is null where the other side closed it. */
  readonly onClose: (fault: Error | null) => void;
}

/** Limits in bytes. */
export interface LineLimits {
  /** Maximum length of a received line; a longer one ends the connection. */
  readonly lineBytes: number;
  /** Above this number of unsent bytes, reading from the other side pauses. */
  readonly unsentBytes: number;
  /** Above this number of unsent bytes, the connection ends. */
  readonly unsentMaxBytes: number;
}

const LINE_FEED = 0x0a;

/** Sends and receives messages over a socket, one line of JSON each. */
export class LineSocket {
  readonly #socket: Socket;
  readonly #limits: LineLimits;
  readonly #handlers: LineHandlers;
  #parts: Buffer[] = [];
  #partBytes = 0;
  #fault: Error | null = null;
  #closed = false;
  #drained: (() => void)[] = [];

  constructor(socket: Socket, limits: LineLimits, handlers: LineHandlers) {
    this.#socket = socket;
    this.#limits = limits;
    this.#handlers = handlers;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('drain', () => this.#resume());
    // Without a listener, an error ends the process. The event 'close' follows each error.
    socket.on('error', (error) => (this.#fault ??= error));
    socket.on('close', () => {
      this.#closed = true;
      this.#resume();
      this.#handlers.onClose(this.#fault);
    });
  }

  /** Sends a message. Does nothing after the end of the connection. */
  send(message: object): void {
    if (this.#closed || this.#socket.destroyed || this.#socket.writableEnded) return;
    this.#socket.write(`${encodeValue(message)}\n`);
    const { writableLength } = this.#socket;
    if (writableLength > this.#limits.unsentMaxBytes) {
      this.destroy(new Error('The other side does not read the answers.'));
    } else if (writableLength > this.#limits.unsentBytes) this.#socket.pause();
  }

  /** Resolves when few bytes are unsent, or the connection has ended. */
  async drained(): Promise<void> {
    if (this.#closed || !this.#socket.writableNeedDrain) return;
    await new Promise<void>((resolve) => this.#drained.push(resolve));
  }

  /** Ends the connection once all bytes are sent. */
  end(): void {
    this.#socket.end();
  }

  /** Lets the process end although the other side has not closed the connection yet. What is unsent is still sent. */
  unref(): void {
    this.#socket.unref();
  }

  /** Ends the connection at once. */
  destroy(fault: Error): void {
    this.#fault ??= fault;
    this.#socket.destroy();
  }

  #resume(): void {
    this.#socket.resume();
    const waiting = this.#drained;
    this.#drained = [];
    for (const resolve of waiting) resolve();
  }

  #read(chunk: Buffer): void {
    let rest = chunk;
    for (;;) {
      const end = rest.indexOf(LINE_FEED);
      const part = end === -1 ? rest : rest.subarray(0, end);
      this.#partBytes += part.length;
      if (this.#partBytes > this.#limits.lineBytes) {
        this.destroy(new Error(`A line is longer than ${this.#limits.lineBytes} bytes.`));
        return;
      }
      this.#parts.push(part);
      if (end === -1) return;
      const line = Buffer.concat(this.#parts).toString('utf8');
      this.#parts = [];
      this.#partBytes = 0;
      this.#receive(line);
      if (this.#socket.destroyed) return;
      rest = rest.subarray(end + 1);
    }
  }

  #receive(line: string): void {
    let message: unknown;
    try {
      message = decodeValue(line);
    } catch (error) {
      this.destroy(new Error('A line is not JSON.', { cause: error }));
      return;
    }
    this.#handlers.onMessage(message);
  }
}
