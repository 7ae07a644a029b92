import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { askEngine } from './engine-http.js';

let server: Server;
let port: number;
beforeEach(async () => {
  server = createServer((_request, response) => {
    // Later than a timer of 1 ms, to which Node shortens a delay that is too long.
    setTimeout(() => response.end('{"here":true}'), 50);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

it.each([2 ** 31 - 1, 2 ** 31, 2 ** 32, Infinity])(
  'a deadline of %d ms does not end a request early',
  async (timeoutMs) => {
    const answer = await askEngine({ port, token: 'x' }, '/', { timeoutMs });
    expect(await answer.json()).toEqual({ here: true });
  },
);

it('a deadline that has passed ends a request', async () => {
  await expect(askEngine({ port, token: 'x' }, '/', { timeoutMs: 1 })).rejects.toMatchObject({
    name: 'TimeoutError',
  });
});
