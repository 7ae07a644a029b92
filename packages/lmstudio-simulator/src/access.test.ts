import { connectSdk, rejection } from '../test/connect-sdk.js';
import { startSimulator } from './index.js';

const TOKEN = 'sk-lm-Ab3dEf6h:abcdefghij0123456789';
const WRONG = 'sk-lm-Ab3dEf6h:zzzzzzzzzz0123456789';
const UNKNOWN = 'sk-lm-ZZZZZZZZ:abcdefghij0123456789';

test('an anonymous client may connect, and must keep the passkey that it first connected with', async () => {
  await using simulator = await startSimulator();
  await using guest = connectSdk(simulator.baseUrl);
  expect(await guest.client.llm.listLoaded()).toEqual([]);
  await using first = connectSdk(simulator.baseUrl, {
    clientIdentifier: 'me',
    clientPasskey: 'one',
  });
  await using second = connectSdk(simulator.baseUrl, {
    clientIdentifier: 'me',
    clientPasskey: 'two',
  });
  expect(await first.client.llm.listLoaded()).toEqual([]);
  expect((await rejection(second.client.llm.listLoaded())).message).toBe(
    'Failed to authenticate: Failed to validate client: Invalid client passkey for client "me"',
  );
});

test('where a token is required, only a client with a known token may connect', async () => {
  await using simulator = await startSimulator({ world: { requireToken: true, tokens: [TOKEN] } });
  await using holder = connectSdk(simulator.baseUrl, { apiToken: TOKEN });
  expect(await holder.client.llm.listLoaded()).toEqual([]);
  for (const [options, text] of [
    [{}, /token is required/],
    [{ apiToken: WRONG }, /Invalid API token/],
    [{ apiToken: UNKNOWN }, /Invalid API token/],
  ] as const) {
    await using refused = connectSdk(simulator.baseUrl, options);
    const { message } = await rejection(refused.client.llm.listLoaded());
    expect(message).toMatch(/^Failed to authenticate: /);
    expect(message).toMatch(text);
  }
  const passkey = TOKEN.split(':')[1] ?? '';
  expect(JSON.stringify(simulator.requests)).not.toContain(passkey);
});

test('HTTP requires the token as a bearer token, and no answer repeats the token', async () => {
  await using simulator = await startSimulator({ world: { requireToken: true, tokens: [TOKEN] } });
  const ask = async (authorization?: string): Promise<readonly [number, string]> => {
    const response = await fetch(`${simulator.httpUrl}/api/v1/models`, {
      headers: authorization === undefined ? {} : { authorization },
    });
    return [response.status, await response.text()];
  };
  expect((await ask(`Bearer ${TOKEN}`))[0]).toBe(200);
  expect(await ask()).toEqual([401, expect.stringContaining('An LM Studio API token is required')]);
  const [status, body] = await ask('Bearer my-secret-that-is-no-token');
  expect([status, body]).toEqual([401, expect.stringContaining('Malformed LM Studio API token')]);
  expect(body).not.toContain('my-secret-that');
  expect(await ask(`Bearer ${WRONG}`)).toEqual([401, expect.stringContaining('invalid_api_key')]);
  // Discovery needs no token.
  expect((await fetch(`${simulator.httpUrl}/lmstudio-greeting`)).status).toBe(200);
});

test('a world that requires no token still accepts its own tokens', async () => {
  await using simulator = await startSimulator({ world: { tokens: [TOKEN] } });
  await using wrong = connectSdk(simulator.baseUrl, { apiToken: WRONG });
  expect((await rejection(wrong.client.llm.listLoaded())).message).toMatch(/Invalid API token/);
});
