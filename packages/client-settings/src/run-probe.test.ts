import { execFileSync } from 'node:child_process';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { startSimulator } from '@mai/lmstudio-simulator';
import {
  CLIENTS,
  describeProbes,
  findClient,
  gatewayAccess,
  type ProbeResult,
  testClient,
} from './index.js';

const KEY = 'qwen/qwen3-4b';

type TestServer = { url: string } & AsyncDisposable;

const answering = (listener: RequestListener): Promise<TestServer> =>
  listening(createServer(listener), 'http');

async function listening(server: Server, scheme: string): Promise<TestServer> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${scheme}://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A server whose certificate no authority has signed. */
function answeringOverTls(): Promise<TestServer> {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  // Both the key and the certificate are printed, and nothing else is.
  const output = ['-days', '1', '-subj', '/CN=mai', '-keyout', '-', '-out', '-'];
  const pem = execFileSync('openssl', ['req', '-x509', ...key, ...output], { stdio: 'pipe' });
  return listening(createHttpsServer({ key: pem, cert: pem }), 'https');
}

/** A server that answers every streamed request with this text. */
const streaming = (text: string) =>
  answering((request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(text);
  });

async function results(name: string, url: string): Promise<readonly ProbeResult[]> {
  return testClient(findClient(name), await gatewayAccess({ url, model: KEY }));
}

describe('against a server that speaks the protocols', () => {
  test.each(CLIENTS.map(({ name }) => name))('every request of %s is answered', async (name) => {
    const world = { httpEndpoints: { 'POST /v1/messages/count_tokens': true } };
    await using simulator = await startSimulator({ speed: 1000, world });
    const answers = await results(name, simulator.httpUrl);
    expect(answers.map(({ detail, ok }) => (ok ? 'ok' : detail))).toEqual(answers.map(() => 'ok'));
    expect(answers.length).toBeGreaterThan(1);
    expect(answers.at(-1)?.status).toBe(200);
    const models = answers.flatMap(({ model, title }) => (title.includes('stream') ? [model] : []));
    expect(models).toEqual(models.map(() => KEY));
  });

  test("LM Studio's status 200 with an error is a failure", async () => {
    await using simulator = await startSimulator({ speed: 1000 });
    const answers = await results('claude-code', simulator.httpUrl);
    expect(answers.map(({ ok }) => ok)).toEqual([true, true, false]);
    expect(answers[2]).toMatchObject({
      status: 200,
      detail: expect.stringMatching(/Unexpected endpoint/),
    });
  });
});

test('where nothing listens, each request says how to start the gateway', async () => {
  const server = await answering(() => undefined);
  await server[Symbol.asyncDispose]();
  const answers = await results('aider', server.url);
  expect(answers).toHaveLength(2);
  for (const { ok, status, detail } of answers) {
    expect({ ok, status }).toEqual({ ok: false, status: null });
    expect(detail).toMatch(/nothing listens at .*mai serve/);
  }
  expect(describeProbes(answers)).toMatch(
    /^FAILED {2}list of models \(GET \/v1\/models\): nothing/,
  );
});

test.each([
  ['http://mai.invalid:11435', /host name mai\.invalid .*check --gateway/],
  // `fetch` refuses some ports without an attempt.
  ['http://127.0.0.1:6000', /\(bad port\); check --gateway$/],
])('the fault of the address %s is named with the next step', async (url, detail) => {
  for (const answer of await results('aider', url)) expect(answer.detail).toMatch(detail);
});

test('https to a server without TLS says to use http', async () => {
  await using server = await streaming('');
  for (const { detail } of await results('aider', server.url.replace('http:', 'https:')))
    expect(detail).toMatch(/ERR_SSL_WRONG_VERSION_NUMBER.*--gateway with http:/);
});

test('a certificate that is not trusted, and http to a server with TLS, are told with the next step', async () => {
  await using server = await answeringOverTls();
  for (const { detail } of await results('aider', server.url))
    expect(detail).toMatch(/not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\).*NODE_EXTRA_CA_CERTS/);
  for (const { detail } of await results('aider', server.url.replace('https:', 'http:')))
    expect(detail).toMatch(/--gateway with https:/);
});

const CHUNK = 'data: {"choices":[{"delta":{"content":"x"},"finish_reason":null}]}\n\n';
const LAST = 'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n';

test.each([
  [
    'a stream with comments while it waits',
    `: waiting\n\n${CHUNK}${LAST}data: [DONE]\n\n`,
    /2 chunks/,
  ],
  ['a stream that is cut', CHUNK, /ended without \[DONE\]/],
  ['a stream without a finish reason', `${CHUNK}data: [DONE]\n\n`, /finish reason/],
  ['an error in the stream', `${CHUNK}data: {"error":{"message":"crashed"}}\n\n`, /crashed/],
  ['an event that is not JSON', 'data: <html>\n\n', /not JSON: <html>/],
])('chat: %s', async (title, text, detail) => {
  await using server = await streaming(text);
  const answer = (await results('cline', server.url)).at(-1);
  expect(answer?.detail).toMatch(detail);
  expect(answer?.ok).toBe(title.startsWith('a stream with comments'));
});

const message = (type: string, more = '') => `event: ${type}\ndata: {"type":"${type}"${more}}\n\n`;
const STOP = message('message_delta', ',"delta":{"stop_reason":"end_turn"}');

test.each([
  [
    'a ping before the message',
    message('ping') + message('message_start') + STOP + message('message_stop'),
    /end_turn/,
  ],
  [
    'a message without a start',
    STOP + message('message_stop'),
    /does not start with message_start/,
  ],
  ['a message that is cut', message('message_start') + STOP, /ended without message_stop/],
  ['an error', message('error', ',"error":{"type":"api_error","message":"crashed"}'), /crashed/],
])('messages: %s', async (title, text, detail) => {
  await using server = await streaming(text);
  const [answer] = await results('claude-code', server.url);
  expect(answer?.detail).toMatch(detail);
  expect(answer?.ok).toBe(title.startsWith('a ping'));
});

test.each([
  ['a whole response', message('response.created') + message('response.completed'), /2 events/],
  ['a response that is cut', message('response.created'), /ended without response.completed/],
  [
    'a response that fails',
    message('response.created') +
      message('response.failed', ',"response":{"error":{"message":"crashed"}}'),
    /crashed/,
  ],
  ['an error', message('error', ',"message":"crashed"'), /crashed/],
])('responses: %s', async (title, text, detail) => {
  await using server = await streaming(text);
  const answer = (await results('codex', server.url)).at(-1);
  expect(answer?.detail).toMatch(detail);
  expect(answer?.ok).toBe(title.startsWith('a whole'));
});

test.each([
  [{ type: 'llm', compatibility_type: 'gguf', state: 'loaded' }, true, /1 models/],
  [{ type: 'llm', compatibility_type: 'virtual', state: 'loaded' }, false, /"virtual" in `compat/],
  [{ type: 'llm', compatibility_type: 'gguf' }, false, /nothing in `state`/],
])('the list for Zed with %j', async (fields, ok, detail) => {
  const model = { id: 'auto', object: 'model', publisher: 'mai', ...fields };
  await using server = await answering((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ data: [model] }));
  });
  const [answer] = await results('zed', server.url);
  expect(answer).toMatchObject({ ok, detail: expect.stringMatching(detail) });
});

test('the headers of each client arrive as it sends them', async () => {
  const seen: Record<string, unknown>[] = [];
  await using server = await answering((request, response) => {
    seen.push({ ...request.headers, url: request.url });
    response.writeHead(503, { 'content-type': 'application/json' });
    response.end('{"error":{"message":"model is loading"}}');
  });
  const [first] = await results('claude-code', server.url);
  expect(first).toMatchObject({ ok: false, status: 503, detail: 'model is loading' });
  await results('codex', server.url);
  expect(seen[0]).toMatchObject({
    url: '/v1/messages?beta=true',
    authorization: 'Bearer mai',
    'anthropic-version': '2023-06-01',
    'anthropic-beta': expect.stringContaining('claude-code'),
  });
  expect(seen.at(-1)).toMatchObject({ url: '/v1/responses', originator: 'codex_exec' });
});

test('an answer that does not come is given up', async () => {
  await using server = await answering(() => undefined);
  const access = await gatewayAccess({ url: server.url });
  const answers = await testClient(findClient('aider'), access, { timeoutMs: 50 });
  expect(answers[0]?.detail).toBe('no answer within 0.05 s');
});

test('a cancelled test rejects with the reason of the signal', async () => {
  await using server = await answering(() => undefined);
  const access = await gatewayAccess({ url: server.url });
  const reason = new Error('stop');
  const signal = AbortSignal.abort(reason);
  await expect(testClient(findClient('aider'), access, { signal })).rejects.toBe(reason);
});
