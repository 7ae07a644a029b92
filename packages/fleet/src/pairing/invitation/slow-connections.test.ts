import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { endSlowConnections } from './slow-connections.js';

const DEADLINE_MS = 400;
const REQUEST = 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n';

let server: Server;
beforeEach(async () => {
  server = createServer({ requestTimeout: 0, headersTimeout: 0 }, (request, response) => {
    request.resume().on('end', () => {
      slow.received(request.socket);
      void sleep(2 * DEADLINE_MS).then(() => response.end('done'));
    });
  });
  const slow = endSlowConnections(server, DEADLINE_MS);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => server.close());

async function reach(): Promise<Socket> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [, accepted] = await Promise.all([once(socket, 'connect'), once(server, 'connection')]);
  expect(accepted).toHaveLength(1);
  return socket;
}

/** All that comes back until the connection ends. */
async function answerOf(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk) => (text += String(chunk)));
  socket.on('error', () => undefined);
  await once(socket, 'close');
  return text;
}

test.each([
  ['says nothing', ''],
  ['never ends its request', REQUEST],
])('a connection that %s is ended without an answer', async (_, bytes) => {
  const socket = await reach();
  socket.write(bytes);
  expect(await answerOf(socket)).toBe('');
});

test('a request that arrived while this process slept is answered, however long the answer takes', async () => {
  const socket = await reach();
  socket.write(REQUEST.replace('\r\n\r\n', '\r\nconnection: close\r\n\r\n') + '{}');
  // Nothing of this process runs meanwhile, and its timers run before it reads.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3 * DEADLINE_MS);
  expect(await answerOf(socket)).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*done/);
});

test('a server that cannot listen leaves no timer', async () => {
  const timers = (): number =>
    process.getActiveResourcesInfo().filter((one) => one === 'Timeout').length;
  const before = timers();
  const second = createServer();
  endSlowConnections(second, DEADLINE_MS);
  second.listen((server.address() as AddressInfo).port, '127.0.0.1');
  await expect(once(second, 'listening')).rejects.toMatchObject({ code: 'EADDRINUSE' });
  expect(timers()).toBeLessThanOrEqual(before);
});
