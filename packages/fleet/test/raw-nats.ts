import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';

import { waitUntil } from './wait-until.js';

/** A message as it came over the wire. */
export interface RawMessage {
  readonly subject: string;
  readonly reply: string | null;
  readonly data: string;
}

/** A client that speaks the NATS protocol by itself, so that an attacker is not held back by a client library. */
export interface RawNats extends AsyncDisposable {
  /** The line that the server sends before TLS. */
  readonly info: string;
  readonly messages: readonly RawMessage[];
  /** Errors that the server has reported. */
  readonly errors: readonly string[];
  readonly closed: boolean;
  readonly publish: (subject: string, data?: string, reply?: string) => void;
  /** Publishes without data. */
  readonly publishHeader: (subject: string, name: string, value: string) => void;
  readonly subscribe: (subject: string) => void;
  /** Waits until the server has handled everything that was sent. */
  readonly settle: () => Promise<void>;
}

/** Connects to a nats-server with TLS. Rejects where the server refuses the certificate or the user. */
export async function rawNats(port: number, tls: ConnectionOptions): Promise<RawNats> {
  const tcp = connectTcp({ host: '127.0.0.1', port });
  const [first] = await once(tcp, 'data');
  const info = String(first);
  const socket: TLSSocket = connectTls({
    servername: 'nats.mai-fleet.internal',
    ...tls,
    socket: tcp,
  });
  let pending = Buffer.alloc(0);
  let pongs = 0;
  let closed = false;
  let fault: Error | null = null;
  const messages: RawMessage[] = [];
  const errors: string[] = [];
  const read = (): void => {
    for (;;) {
      const end = pending.indexOf('\r\n');
      if (end < 0) return;
      const line = pending.subarray(0, end).toString('utf8');
      const [verb = '', ...words] = line.split(' ');
      if (verb === 'MSG' || verb === 'HMSG') {
        const size = Number(words.at(-1));
        if (pending.length < end + 2 + size + 2) return;
        const headers = verb === 'HMSG' ? Number(words.at(-2)) : 0;
        const data = pending.subarray(end + 2 + headers, end + 2 + size).toString('utf8');
        const numbers = verb === 'HMSG' ? 2 : 1;
        const reply = words.length === 3 + numbers ? (words[2] ?? null) : null;
        messages.push({ subject: words[0] ?? '', reply, data });
        pending = pending.subarray(end + 2 + size + 2);
        continue;
      }
      if (verb === 'PONG') pongs += 1;
      if (verb === 'PING') socket.write('PONG\r\n');
      if (verb === '-ERR') errors.push(line);
      pending = pending.subarray(end + 2);
    }
  };
  socket.on('data', (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    read();
  });
  socket.on('error', (error) => {
    fault = error;
  });
  socket.on('close', () => {
    closed = true;
  });
  const settle = async (): Promise<void> => {
    const wanted = pongs + 1;
    socket.write('PING\r\n');
    await waitUntil(() => closed || pongs >= wanted, 'the server answers a ping');
  };
  const options = {
    verbose: false,
    pedantic: false,
    headers: true,
    no_responders: true,
    protocol: 1,
  };
  socket.write(`CONNECT ${JSON.stringify(options)}\r\n`);
  await settle();
  if (pongs === 0) {
    socket.destroy();
    throw new Error(errors.join(' ') || String(fault ?? 'the server closed the connection'));
  }
  return {
    info,
    messages,
    errors,
    get closed() {
      return closed;
    },
    publish: (subject, data = '', reply = '') => {
      socket.write(
        `PUB ${subject} ${reply}${reply === '' ? '' : ' '}${Buffer.byteLength(data)}\r\n${data}\r\n`,
      );
    },
    publishHeader: (subject, name, value) => {
      const header = `NATS/1.0\r\n${name}: ${value}\r\n\r\n`;
      socket.write(`HPUB ${subject} ${header.length} ${header.length}\r\n${header}\r\n`);
    },
    subscribe: (subject) => {
      socket.write(`SUB ${subject} ${Math.floor(Math.random() * 1e9)}\r\n`);
    },
    settle,
    [Symbol.asyncDispose]: () => {
      socket.destroy();
      return Promise.resolve();
    },
  };
}
