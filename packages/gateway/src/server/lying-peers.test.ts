import { createServer, type ServerResponse } from 'node:http';
import { createSecureContext } from 'node:tls';
import { ask, type Answer } from '../../test/ask.js';
import { listenOn, serveThrough } from '../../test/worlds/serve-through.js';

const CHAT = '/v1/chat/completions';
const JSON_ANSWER = '{"id":"c","object":"chat.completion","choices":[]}';
const STREAM_ANSWER = 'data: {"id":"c","choices":[]}\n\ndata: [DONE]\n\n';
const REFUSAL = '{"error":{"message":"The request is wrong."}}';

/** Asks a gateway whose only resident is on another host, which answers as a test says. */
async function askThrough(
  respond: (response: ServerResponse) => void,
  fields: object = {},
): Promise<Answer> {
  const host = createServer((request, response) => {
    request.resume().on('end', () => respond(response));
  });
  const httpUrl = await listenOn(host);
  const peer = {
    host: 'attic',
    instanceIdentifier: 'm',
    tls: {
      secureContext: createSecureContext(),
      serverName: 'attic',
      checkServer: () => undefined,
    },
    ended: () => undefined,
  };
  const front = await serveThrough(
    { httpUrl, residents: () => [] },
    {
      peer,
      runtime: 'embedded',
    },
  );
  try {
    return await ask(front.url, {
      method: 'POST',
      path: CHAT,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ messages: [], ...fields }),
    });
  } finally {
    await front[Symbol.asyncDispose]();
    host.closeAllConnections();
    await new Promise((resolve) => host.close(resolve));
  }
}

/** Also a name that no browser knows yet. */
const LIES = {
  'access-control-allow-origin': '*',
  'alt-svc': 'h3="evil.example:443"; ma=86400',
  'clear-site-data': '"*"',
  'content-security-policy': "script-src 'unsafe-inline'",
  'new-browser-power': 'all',
  'set-cookie': 'mai-session=other',
  'strict-transport-security': 'max-age=31536000',
  'x-accel-redirect': '/etc/passwd',
  'x-mai-placement': 'another',
  'x-of-this-connection': '1',
};
const HARMLESS = {
  'anthropic-ratelimit-tokens-remaining': '9',
  'cache-control': 'no-cache',
  'openai-version': '2020-10-01',
  'retry-after': '3',
  'x-kept': 'yes',
  'x-request-id': 'r-1',
};

test.each([
  ['an answer', 200, 'application/json', JSON_ANSWER],
  ['a stream', 200, 'text/event-stream', STREAM_ANSWER],
  ['a refusal', 400, 'application/json', REFUSAL],
])('%s of another host governs neither the client nor a proxy', async (_, status, type, body) => {
  const connection = 'keep-alive, x-of-this-connection';
  const sent = { 'content-type': type, connection, ...LIES, ...HARMLESS };
  const answer = await askThrough((response) => response.writeHead(status, sent).end(body), {
    stream: body === STREAM_ANSWER,
  });
  expect([answer.status, answer.text]).toEqual([status, body]);
  expect(answer.headers).toMatchObject({ 'content-type': type, ...HARMLESS });
  expect(Object.keys(answer.headers).filter((name) => name in LIES)).toEqual([]);
  expect(answer.headers['x-mai-host']).toBe('attic');
});

test('tools are not said to be described where another host serves, which may have LM Studio', async () => {
  const tools = [{ type: 'function', function: { name: 'f' } }];
  const answer = await askThrough(
    (response) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON_ANSWER),
    { tools },
  );
  expect([answer.status, answer.headers['x-mai-tools']]).toEqual([200, undefined]);
});

test('bytes that no header may hold reach no client, and the request fails in its protocol', async () => {
  const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-odd: a\u0001b\u007f`;
  const answer = await askThrough((response) =>
    response.socket?.end(`${head}\r\ncontent-length: ${JSON_ANSWER.length}\r\n\r\n${JSON_ANSWER}`),
  );
  expect([answer.status, answer.headers['x-odd']]).toEqual([503, undefined]);
  expect(answer.json().error.code).toBe('upstream_unreachable');
});
