import { addressOf, ApiError, messageOf, openApi } from './client.js';

const BASE = 'http://127.0.0.1:11435/';

function recorded(answers: readonly Response[]) {
  const calls: { url: string; init: RequestInit }[] = [];
  const left = [...answers];
  const fetchFrom: typeof fetch = async (url, init) => {
    calls.push({ url: url instanceof Request ? url.url : url.toString(), init: init ?? {} });
    const next = left.shift();
    if (next === undefined) throw new TypeError('fetch failed');
    return next;
  };
  return { calls, api: openApi(BASE, fetchFrom) };
}

const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status });
const session = (csrfToken: string | null) =>
  json({ required: true, signedIn: true, scopes: ['control'], csrfToken, expiresAtMs: null });

test('puts an id into the path and other parameters into the query', () => {
  expect(addressOf(BASE, 'decision', { id: 'a/../b?c' })).toBe(
    'http://127.0.0.1:11435/api/mai/decisions/a%2F..%2Fb%3Fc',
  );
  expect(addressOf(BASE, 'decisions', { search: 'a b&c', before: undefined })).toBe(
    'http://127.0.0.1:11435/api/mai/decisions?search=a+b%26c',
  );
  expect(addressOf('http://proxy/mai/', 'status', {})).toBe('http://proxy/mai/api/mai/status');
});

test('sends the token of the session with changes and not with reads', async () => {
  const { api, calls } = recorded([session('t0ken'), json({}), json({})]);
  await api.read('session');
  await api.change('pin', { target: 'acme/small', dryRun: true });
  await api.read('status');
  const headers = calls.map(({ init }) => new Headers(init.headers));
  expect(headers.map((one) => one.get('x-mai-csrf'))).toEqual([null, 't0ken', null]);
  expect(calls[1]).toMatchObject({
    url: 'http://127.0.0.1:11435/api/mai/pin',
    init: { method: 'POST', body: '{"target":"acme/small","dryRun":true}' },
  });
});

test('forgets the token after signing out', async () => {
  const { api, calls } = recorded([session('t0ken'), session(null), json({})]);
  await api.signIn('mai-key');
  await api.signOut();
  await api.change('pin', { target: 'x' });
  expect(new Headers(calls[2]?.init.headers).has('x-mai-csrf')).toBe(false);
});

test('throws the refusal of the gateway with its code and its words', async () => {
  const { api } = recorded([json({ error: { code: 'MODEL_NOT_FOUND', message: 'No x.' } }, 404)]);
  const error = await api.read('status').catch((caught: unknown) => caught);
  expect(error).toEqual(new ApiError(404, 'MODEL_NOT_FOUND', 'No x.'));
  expect(messageOf(error)).toBe('No x.');
});

test.each(['<html>', '{"error":7}', 'null', '[]'])(
  'names the status where a refusal is %s',
  async (body) => {
    const { api } = recorded([new Response(body, { status: 502 })]);
    await expect(api.read('status')).rejects.toThrow('The gateway answered with status 502.');
  },
);

test('says that the gateway does not answer where the connection fails', async () => {
  const { api } = recorded([]);
  const error = await api.read('status').catch((caught: unknown) => caught);
  expect(messageOf(error)).toContain('does not answer');
});
