import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { EventStream } from './exchange.js';

const EVENT = { text: 'x'.repeat(64 * 1024) };
/** More events than the socket buffers of both sides hold. */
const EVENTS = 1000;

/** A response to a client that reads nothing yet. */
async function openResponse() {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  const client = connect(address.port, '127.0.0.1');
  client.pause();
  client.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  const response = await new Promise<ServerResponse>((resolve) => {
    server.once('request', (_, answer) => resolve(answer));
  });
  const departure = new AbortController();
  response.once('close', () => departure.abort(new Error('the client has left')));
  const stream = new EventStream({ response, signal: departure.signal });
  return {
    client,
    response,
    stream,
    close: (): void => {
      client.destroy();
      server.close();
    },
  };
}

describe('A stream of events', () => {
  it('waits while the client does not read, and keeps at most one event back', async () => {
    const { client, response, stream, close } = await openResponse();
    let sent = 0;
    const sending = (async () => {
      for (; sent < EVENTS; sent += 1) await stream.send(EVENT);
    })();
    let before = -1;
    while (sent !== before) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(sent).toBeLessThan(EVENTS);
    expect(response.writableLength).toBeLessThan(2 * EVENT.text.length);
    client.resume();
    await sending;
    expect(sent).toBe(EVENTS);
    close();
  });

  it('ends with the reason of the signal where the client leaves without reading', async () => {
    const { client, stream, close } = await openResponse();
    const sending = (async () => {
      for (;;) await stream.send(EVENT);
    })();
    setTimeout(() => client.destroy(), 100);
    await expect(sending).rejects.toThrow();
    close();
  });
});
