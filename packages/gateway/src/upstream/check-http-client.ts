import { once } from 'node:events';
import { createServer } from 'node:http';
import { GatewayError } from '../gateway-error.js';
import type { HttpClient } from './http-client.js';

/**
 * Sends one request over loopback, so that a client that cannot work is found at the start, and not at the first request. undici
 * parses answers with WebAssembly, and Node reserves 10 GiB of address space for each of its memories.
 *
 * Other failures are ignored: a runtime at another address may still answer.
 *
 * @throws GatewayError `ADDRESS_SPACE`
 */
export async function checkHttpClient(client: Pick<HttpClient, 'send'>): Promise<void> {
  const server = createServer((_, response) => {
    response.writeHead(204, { connection: 'close' }).end();
  });
  try {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    // A string is the address of a pipe, and null that of a server that does not listen.
    if (address === null || typeof address === 'string') return;
    const { port } = address;
    await request(client, `http://127.0.0.1:${port}`);
  } catch (error) {
    if (!isOutOfAddressSpace(error)) return;
    throw new GatewayError(
      'ADDRESS_SPACE',
      'This process may use too little address space: "ulimit -v", or LimitAS= of a service, allows less than the 24 GiB that Node reserves for its HTTP clients. Run "ulimit -v unlimited", and try again.',
      { cause: error },
    );
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

function isOutOfAddressSpace(error: unknown): boolean {
  return error instanceof Error && /WebAssembly.*out of memory/i.test(error.message);
}

function request(client: Pick<HttpClient, 'send'>, origin: string): Promise<void> {
  return new Promise((resolve, reject) => {
    client.send(
      { origin, path: '/', method: 'GET', headers: {}, body: null },
      { onHead: () => undefined, onData: () => undefined, onEnd: resolve, onError: reject },
    );
  });
}
