import { createServer } from 'node:net';

/** Arguments of a gateway of a fleet on loopback. */
export const SERVE = 'serve --port 0 --json --fleet --fleet-port 0 --fleet-address 127.0.0.1';

/** A port of loopback that nobody uses now. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        resolve(typeof address === 'object' && address !== null ? address.port : 0),
      );
    });
  });
}

/** Asks a gateway for the model `auto`, unless `body` names another one. */
export const chat = (url: unknown, body: object = {}): Promise<Response> =>
  fetch(`${String(url)}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'auto',
      messages: [{ role: 'user', content: 'Hello' }],
      ...body,
    }),
  });
