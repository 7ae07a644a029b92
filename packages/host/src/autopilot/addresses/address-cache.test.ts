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
