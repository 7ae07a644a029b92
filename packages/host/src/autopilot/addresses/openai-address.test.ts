import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { contextOf } from '../../host-options.js';
import { findOpenAiAddress } from './openai-address.js';

const LIST = { object: 'list', data: [] };
/** LM Studio's answer to an unknown path. */
const UNKNOWN = { error: 'Unexpected endpoint or method.' };
const HOST = {
  isLocal: false,
  reason: 'other-host' as const,
  insideWsl: false,
  insideContainer: false,
};

let server: Server;
let url: string;
let answer: (request: IncomingMessage) => readonly [number, unknown];
beforeEach(async () => {
  server = createServer((request, response) => {
    const [status, body] = answer(request);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const find = (
  options: { readonly apiToken?: string; readonly timeoutMs?: number } = {},
  env = {},
) => {
  const { signal } = new AbortController();
  const context = contextOf({ url, env, userHome: '/nowhere', ...options }, signal);
  const client = { baseUrl: url.replace('http', 'ws'), host: HOST };
  return findOpenAiAddress(context, client, signal);
};

test('the server is on where /v1/models answers with a list', async () => {
  answer = ({ url: path }) => [200, path === '/v1/models' ? LIST : UNKNOWN];
  expect(await find()).toEqual({ baseUrl: `${url}/v1`, requestHeaders: {} });
});

test('the server is on where only /api/v0/models answers with a list', async () => {
  answer = ({ url: path }) => [200, path === '/api/v0/models' ? LIST : UNKNOWN];
  expect(await find()).toEqual({ baseUrl: `${url}/v1`, requestHeaders: {} });
});

test('the server is on where it refuses the token', async () => {
  answer = () => [401, { error: 'no' }];
  expect(await find()).toEqual({ baseUrl: `${url}/v1`, requestHeaders: {} });
});

test.each([
  ['the options', { apiToken: ' secret ' }, { LM_API_TOKEN: 'other' }, 'Bearer secret'],
  ['the environment', {}, { LM_API_TOKEN: 'other' }, 'Bearer other'],
])(
  'the token of %s is sent with the request and returned in the headers',
  async (_from, options, env, header) => {
    let asked: string | undefined;
    answer = ({ headers }) => {
      asked = headers.authorization;
      return [200, LIST];
    };
    expect(await find(options, env)).toMatchObject({ requestHeaders: { authorization: header } });
    expect(asked).toBe(header);
  },
);

test.each([
  ['answers that every path is unknown', () => [200, UNKNOWN] as const],
  ['answers with status 500', () => [500, LIST.object] as const],
])('the server is off where LM Studio %s', async (_name, make) => {
  answer = make;
  await expect(find()).rejects.toMatchObject({
    name: 'HostError',
    code: 'SERVER_OFF',
    message: expect.stringContaining('lms server start'),
  });
});

test('a server that does not answer in time is not reported as off', async () => {
  answer = () => [200, LIST];
  server.removeAllListeners('request');
  await expect(find({ timeoutMs: 200 })).rejects.toMatchObject({
    name: 'LMStudioError',
    code: 'TIMED_OUT',
    message: expect.stringMatching(/did not list the models within 0\.2 s/),
  });
});

test('LM Studio is off where nothing listens at its own address', async () => {
  server.close();
  await expect(find()).rejects.toMatchObject({
    name: 'LMStudioError',
    code: 'UNREACHABLE',
    message: expect.stringContaining(`${url} cannot be reached (connection refused)`),
  });
});

test('the server is off where LM Studio breaks off its connections', async () => {
  server.removeAllListeners('request').on('request', ({ socket }) => socket.destroy());
  await expect(find()).rejects.toMatchObject({ code: 'SERVER_OFF' });
});
