import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { listen, type Listening } from '../listen.js';

const [HEADERS_MS, REQUEST_MS] = [80, 300];
/** Longer than both time limits. */
const STALL_MS = 450;

let server: Listening;
beforeEach(async () => {
  const times = { headersTimeoutMs: HEADERS_MS, requestTimeoutMs: REQUEST_MS };
  server = await listen(
    (request, response) => void request.resume().on('end', () => response.end('served')),
    { port: 0, ...times },
  );
});
afterEach(() => {
  server.destroy();
  return server.close();
});

/** A client in a thread of its own, so that it can send while the thread of the server does nothing. */
const CLIENT = `
const { parentPort, workerData: { port, first, rest, restBytes, stallMs, flag } } = require('node:worker_threads');
const socket = require('node:net').connect(port, '127.0.0.1');
let text = '';
socket.on('data', (chunk) => {
  text += chunk.toString('latin1');
  if (text.endsWith('served')) socket.end();
});
socket.on('error', () => undefined).on('close', () => parentPort.postMessage(text));
socket.write(first, () => parentPort.postMessage('sent'));
parentPort.once('message', () => {
  setTimeout(() => {
    if (rest !== null) socket.write(rest);
    if (restBytes > 0) socket.write(Buffer.alloc(restBytes, 'x'));
    // Once the kernel has what it takes.
    setTimeout(() => {
      Atomics.store(flag, 0, 1);
      Atomics.notify(flag, 0);
    }, 50);
  }, stallMs);
});
`;

interface Sent {
  readonly first: string;
  /** Sent while the server does nothing; null: nothing more. */
  readonly rest: string | null;
  /** Bytes of a body that follow. */
  readonly restBytes?: number;
}

/** What a client gets that begins a request, and sends the rest while the process of the server stalls. */
async function answerAfterStall({ first, rest, restBytes = 0 }: Sent): Promise<string> {
  const flag = new Int32Array(new SharedArrayBuffer(4));
  const workerData = { port: server.port, first, rest, restBytes, stallMs: STALL_MS, flag };
  const client = new Worker(CLIENT, { eval: true, workerData });
  await once(client, 'message');
  // So that the server has read the beginning.
  await sleep(20);
  client.postMessage('go');
  // After an immediate, the event loop runs its timers before it reads what has arrived.
  await new Promise<void>((resolve) => {
    setImmediate(() => {
      Atomics.wait(flag, 0, 0);
      resolve();
    });
  });
  const [text] = (await once(client, 'message')) as [string];
  await client.terminate();
  return text;
}

const LARGE_BYTES = 16 * 1_048_576;
const head = (length: number): string =>
  `POST / HTTP/1.1\r\nHost: gateway\r\nContent-Length: ${length}\r\n`;

test.each([
  ['nothing of it was read before', { first: '', rest: `${head(2)}\r\n{}` }],
  ['a part of its headers was read before', { first: head(2), rest: '\r\n{}' }],
  ['its headers were read before', { first: `${head(2)}\r\n{`, rest: '}' }],
  [
    'its body is larger than what waits in the socket, and its headers were read before',
    { first: `${head(LARGE_BYTES)}\r\n`, rest: null, restBytes: LARGE_BYTES },
  ],
  [
    'its body is larger than what waits in the socket, and its headers were not',
    { first: head(LARGE_BYTES), rest: '\r\n', restBytes: LARGE_BYTES },
  ],
])('a request that arrives while the process stalls is served where %s', async (_, sent) => {
  const text = await answerAfterStall(sent);
  expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(text).toMatch(/served$/);
});

test.each([
  ['its headers', { first: head(2), rest: null }],
  ['its body', { first: `${head(2)}\r\n{`, rest: null }],
  ['the end of its headers', { first: 'POST / HTTP/1.1\r\n', rest: 'X-Slow: ' }],
])(
  'a request of which %s do not arrive is refused with 408, also after a stall',
  async (_, sent) => {
    expect(await answerAfterStall(sent)).toMatch(/^HTTP\/1\.1 408 /);
  },
);

test.each([
  ['headers', `GET / HTTP/1.1\r\nHost: gateway\r\nX-Slow: `],
  ['a body', `${head(1_000_000)}\r\n`],
])('a client that sends %s byte by byte does not lengthen its time', async (_, first) => {
  const socket = connect(server.port, server.host);
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  socket.write(first);
  const trickle = setInterval(() => socket.write('a'), 2);
  await once(socket, 'close');
  clearInterval(trickle);
  expect(text).toMatch(/^HTTP\/1\.1 408 /);
});

test('after a late request that was served, the connection takes further ones', async () => {
  const socket = connect(server.port, server.host);
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString('latin1')));
  const served = async (count: number): Promise<void> => {
    while (text.split('served').length <= count) await sleep(2);
  };
  socket.write(head(2));
  await sleep(20);
  setImmediate(() => {
    const until = performance.now() + STALL_MS;
    // The bytes are in the socket before this thread goes on to read.
    socket.write('\r\n{}');
    while (performance.now() < until);
  });
  await served(1);
  // Longer than the late request was given.
  await sleep(2 * REQUEST_MS);
  socket.write(`${head(2)}\r\n{}`);
  await served(2);
  socket.destroy();
  expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200']);
});
