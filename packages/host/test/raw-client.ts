import { connect, type Socket } from 'node:net';
import { readNote } from '../src/control/wire/endpoint.js';
import { PROTOCOL_VERSION } from '../src/control/wire/messages.js';

/** A connection to the control socket that can send any bytes. */
export interface RawClient {
  readonly socket: Socket;
  /** All received lines. */
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  readonly send: (...messages: readonly object[]) => void;
  /** Resolves with the first line that matches. Lines that were received before the call count, too. */
  readonly line: (
    isIt: (line: Readonly<Record<string, unknown>>) => boolean,
  ) => Promise<Readonly<Record<string, unknown>>>;
  /** Resolves when the connection has ended. */
  readonly closed: Promise<void>;
}

export const HELLO = { type: 'hello', protocol: PROTOCOL_VERSION, processId: process.pid };

/** Connects without sending a hello. */
export async function openRawClient(noteFile: string): Promise<RawClient> {
  const note = await readNote(noteFile);
  if (note === null) throw new Error('There is no note of an endpoint.');
  const socket = connect(note.endpoint);
  const lines: Readonly<Record<string, unknown>>[] = [];
  const waiting = new Set<() => void>();
  let rest = '';
  socket.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts.map((part) => JSON.parse(part) as Readonly<Record<string, unknown>>));
    for (const notify of waiting) notify();
  });
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await new Promise((resolve) => socket.once('connect', resolve));
  return {
    socket,
    lines,
    send: (...messages) => {
      socket.write(messages.map((message) => `${JSON.stringify(message)}\n`).join(''));
    },
    line: async (isIt) => {
      for (;;) {
        const found = lines.find(isIt);
        if (found !== undefined) return found;
        await new Promise<void>((resolve) => waiting.add(resolve));
      }
    },
    closed,
  };
}
