import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import { createHttpClient } from './http-client.js';

// This test has its own file, because undici has one timer for all time limits, and other tests replace that timer.
test('a connection to another host that does not answer is given up in seconds, so that the request can go elsewhere', async () => {
  const sockets: Socket[] = [];
  const server = createTcpServer((socket) => void sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const client = createHttpClient();
  const tls = {
    secureContext: createSecureContext(),
    serverName: 'attic',
    checkServer: () => undefined,
  };
  const request = { origin: `https://127.0.0.1:${port}`, path: '/', method: 'GET' as const };
  const error = await new Promise<unknown>((resolve) => {
    client.send(
      { ...request, headers: {}, body: null, tls },
      {
        onHead: () => undefined,
        onData: () => undefined,
        onEnd: () => resolve(null),
        onError: resolve,
      },
    );
  });
  expect(error).toMatchObject({ code: 'UND_ERR_CONNECT_TIMEOUT' });
  for (const socket of sockets) socket.destroy();
  server.close();
  await client[Symbol.asyncDispose]();
}, 9000);
