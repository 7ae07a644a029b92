import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '@mai/autopilot';
import { LlamaRuntimeError } from '@mai/llama-runtime';
import { contextOf } from '../../host-options.js';
import type { ActiveLink } from '../../runtime/connect-runtime.js';
import type { EmbeddedClient } from '../../runtime/runtime-client.js';
import { createAddressCache } from './address-cache.js';

const { signal } = new AbortController();

/** A link to an embedded engine of which only the addresses matter here. */
function linkWith(addressOf: EmbeddedClient['addressOf']): ActiveLink {
  const client: Pick<EmbeddedClient, 'addressOf'> = { addressOf };
  return { kind: 'on', runtime: 'embedded', client: client as EmbeddedClient };
}

const addressesOf = (addressOf: EmbeddedClient['addressOf']) =>
  createAddressCache(contextOf({}, signal)).of(linkWith(addressOf), signal);

test('each resident of the embedded engine has an address and a token of its own', async () => {
  const find = await addressesOf((name) =>
    Promise.resolve({
      baseUrl: `http://127.0.0.1:${name}/v1`,
      requestHeaders: { authorization: `Bearer ${name}` },
    }),
  );
  expect(await find('4001')).toEqual({
    baseUrl: 'http://127.0.0.1:4001/v1',
    requestHeaders: { authorization: 'Bearer 4001' },
  });
  expect((await find('4002'))?.requestHeaders).toEqual({ authorization: 'Bearer 4002' });
});

test('a resident that has ended has no address, and other errors reach the caller', async () => {
  const gone = await addressesOf(() =>
    Promise.reject(new LlamaRuntimeError('INSTANCE_NOT_FOUND', 'It is gone.')),
  );
  expect(await gone('a')).toBeNull();
  const closed = await addressesOf(() =>
    Promise.reject(new LlamaRuntimeError('CLOSED', 'It was closed.')),
  );
  await expect(closed('a')).rejects.toMatchObject({ code: 'CLOSED' });
});

test('the address of an LM Studio stays where its HTTP server does not answer in time', async () => {
  let isSilent = false;
  const server = createServer((_request, response) => {
    if (!isSilent) response.end('{"data":[]}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  let nowMs = 0;
  const clock = { ...systemClock, monotonicMs: () => nowMs };
  const client = { baseUrl: url.replace('http', 'ws'), host: { isLocal: false } };
  const link = { kind: 'on', runtime: 'lmstudio', client } as unknown as ActiveLink;
  const cache = createAddressCache(contextOf({ url, clock, timeoutMs: 200 }, signal));
  const address = async () => (await cache.of(link, signal))('any');
  expect(await address()).toMatchObject({ baseUrl: `${url}/v1` });
  isSilent = true;
  nowMs += 60_000;
  expect(await address()).toMatchObject({ baseUrl: `${url}/v1` });
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  nowMs += 60_000;
  await expect(address()).rejects.toMatchObject({ code: 'UNREACHABLE' });
});
