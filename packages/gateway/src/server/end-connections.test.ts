import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { RequestListener, ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { makeAuthority } from '../../test/certificates.js';
import { listen, type Listening, type TlsFiles } from './listen.js';

jest.setTimeout(20_000);

const HEAD = 'POST / HTTP/1.1\r\nHost: gateway\r\n';
const REQUEST = `${HEAD}Content-Length: 2\r\n\r\n{}`;

let server: Listening;
const clients = new Set<Client>();
/** The answer that a test ends itself. */
let held: ServerResponse | null = null;

const handle: RequestListener = (request, response) => {
  request.resume().on('end', () => {
    if (request.url === '/held') held = response;
    else response.end('answered');
  });
};

afterEach(() => {
  for (const client of clients) client.socket.destroy();
  clients.clear();
  held = null;
  server.destroy();
});

/** A connection, and what came back on it. */
interface Client {
  readonly socket: Socket;
  readonly ended: Promise<unknown>;
  text(): string;
  /** Resolves when `text` has come. Rejects where the connection ends before. */
  comes(text: string): Promise<void>;
}

async function open(tls?: TlsFiles): Promise<Client> {
  server = await listen(handle, { port: 0, tls });
  return client();
}

async function client(): Promise<Client> {
  const made = clientOn(connect(server.port, server.host));
  await once(made.socket, 'connect');
  return made;
}

function clientOn(socket: Socket): Client {
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  const ended = new Promise((resolve) => socket.once('close', resolve));
  const made: Client = {
    socket,
    ended,
    text: () => text,
    comes: async (wanted) => {
      while (!text.includes(wanted)) {
        if (socket.closed) throw new Error(`The connection ended after ${JSON.stringify(text)}.`);
        await sleep(2);
      }
    },
  };
  clients.add(made);
  return made;
}

describe('a server that closes', () => {
  it.each([0, 20, 60, 120])(
    'answers a request that an idle connection sends %i ms later',
    async (ms) => {
      const { socket, comes, text, ended } = await open();
      socket.write(REQUEST);
      await comes('answered');
      const closed = server.close();
      await sleep(ms);
      socket.write(REQUEST);
      await Promise.all([closed, ended]);
      expect(text().match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2);
    },
  );

  it.each([
    ['longer than an idle connection stays open', 600],
    ['longer than a request may take to arrive', 2300],
  ])(
    'answers the next request of a connection whose answer has just ended, %s after the close',
    async (_, ms) => {
      const { socket, comes, text, ended } = await open();
      socket.write(REQUEST.replace('/', '/held'));
      while (held === null) await sleep(2);
      const closed = server.close();
      await sleep(ms);
      held.end('held');
      await comes('held');
      await sleep(100);
      socket.write(REQUEST);
      await Promise.all([closed, ended]);
      expect(text()).toMatch(/answered$/);
    },
  );

  it.each([
    ['no request', ''],
    ['a part of a head', 'POST / HTTP/1.1\r\nHost: gate'],
    ['a part of a body', `${HEAD}Content-Length: 200\r\n\r\n{`],
  ])('does not wait for a connection with %s', async (_, sent) => {
    const { socket, ended } = await open();
    socket.write(sent);
    await sleep(20);
    await Promise.all([server.close(), ended]);
  });

  it('does not wait for a request that arrives byte by byte', async () => {
    const { socket, ended } = await open();
    socket.write(`${HEAD}Content-Length: 100000\r\n\r\n`);
    const trickle = setInterval(() => socket.write('a'), 10);
    await Promise.all([server.close(), ended]);
    clearInterval(trickle);
  });

  it('does not wait for a TLS handshake', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'mai-'));
    const tls = await makeAuthority(folder, 'gateway');
    await rm(folder, { recursive: true });
    const { ended } = await open(tls);
    await Promise.all([server.close(), ended]);
  });

  it('answers a request that an idle connection over TLS sends later', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'mai-'));
    const tls = await makeAuthority(folder, 'gateway');
    await rm(folder, { recursive: true });
    server = await listen(handle, { port: 0, tls });
    const secure = clientOn(
      connectTls({
        port: server.port,
        ca: tls.cert,
        servername: 'gateway',
        checkServerIdentity: () => undefined,
      }),
    );
    await once(secure.socket, 'secureConnect');
    const closed = server.close();
    await sleep(100);
    secure.socket.write(REQUEST);
    await secure.comes('answered');
    await Promise.all([closed, secure.ended]);
  });

  it('accepts no further connection', async () => {
    await open();
    const closed = server.close();
    await sleep(50);
    await expect(client()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await closed;
  });
});
