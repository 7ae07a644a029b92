import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ask } from '../../test/ask.js';
import { createFakeClock, type FakeClock } from '../../test/fakes/fake-clock.js';
import { serveControl, type ControlWorld } from '../../test/worlds/serve-control.js';
import { addKey, removeKey } from '../access/keys/key-file.js';
import { openKeyStore } from '../access/keys/key-store.js';
import { SESSION_MS } from '../access/sessions.js';

let folder: string;
let file: string;
let key: string;
let readKey: string;
let clock: FakeClock;
let world: ControlWorld;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mai-session-'));
  file = path.join(folder, 'keys.json');
  key = await addKey(file, { name: 'admin', scopes: ['control', 'inference'] }, 1);
  readKey = await addKey(file, { name: 'viewer', scopes: ['read'] }, 1);
  clock = createFakeClock();
  world = await serveControl({ keys: await openKeyStore(file, clock), clock });
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const JSON_TYPE = { 'content-type': 'application/json' };

async function signIn(text: string, headers: Record<string, string> = {}) {
  const answer = await ask(world.url, {
    method: 'POST',
    path: '/api/mai/session',
    headers: { ...JSON_TYPE, ...headers },
    body: JSON.stringify({ key: text }),
  });
  const [setCookie = ''] = answer.headers['set-cookie'] ?? [];
  return { answer, setCookie, cookie: setCookie.split(';')[0] ?? '' };
}

const status = async (headers: Record<string, string>) =>
  (await ask(world.url, { path: '/api/mai/status', headers })).status;

const pin = async (headers: Record<string, string>) =>
  (
    await ask(world.url, {
      method: 'POST',
      path: '/api/mai/pin',
      headers: { ...JSON_TYPE, ...headers },
      body: '{"target":"a"}',
    })
  ).status;

test('a key is exchanged for a cookie that scripts and other sites do not get', async () => {
  const { answer, setCookie, cookie } = await signIn(key);
  expect(answer.status).toBe(200);
  expect(answer.json()).toMatchObject({
    required: true,
    signedIn: true,
    scopes: ['inference', 'control', 'read'],
    expiresAtMs: clock.nowMs() + SESSION_MS,
  });
  expect(setCookie).toMatch(
    /^mai-session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/,
  );
  expect(answer.text).not.toContain(cookie.slice('mai-session='.length));
  expect(answer.headers['cache-control']).toBe('no-store');
  expect(await status({ cookie })).toBe(200);
  expect(await status({})).toBe(401);
});

test('a session changes something only with its token', async () => {
  const { answer, cookie } = await signIn(key);
  const other = await signIn(key);
  const { csrfToken } = answer.json();
  expect(await pin({ cookie })).toBe(403);
  expect(await pin({ cookie, 'x-mai-csrf': 'guess' })).toBe(403);
  expect(await pin({ cookie, 'x-mai-csrf': '' })).toBe(403);
  expect(await pin({ cookie, 'x-mai-csrf': other.answer.json().csrfToken })).toBe(403);
  expect(await pin({ cookie, 'x-mai-csrf': csrfToken })).toBe(200);
  expect(await pin({ cookie, 'x-mai-csrf': csrfToken, origin: 'http://evil.example' })).toBe(403);
  expect(await pin({ 'x-mai-csrf': csrfToken })).toBe(401);
});

test('a page that was reloaded reads its token again', async () => {
  const { answer, cookie } = await signIn(key);
  const again = await ask(world.url, { path: '/api/mai/session', headers: { cookie } });
  expect(again.json()).toEqual(answer.json());
  const stranger = await ask(world.url, { path: '/api/mai/session' });
  expect(stranger.json()).toEqual({
    required: true,
    signedIn: false,
    scopes: [],
    csrfToken: null,
    expiresAtMs: null,
  });
});

test('a session allows what its key allows', async () => {
  const { answer, cookie } = await signIn(readKey);
  expect(answer.json().scopes).toEqual(['read']);
  expect(await status({ cookie })).toBe(200);
  expect(await pin({ cookie, 'x-mai-csrf': answer.json().csrfToken })).toBe(403);
});

test('a session ends by signing out, by time, and with its key', async () => {
  const first = await signIn(key);
  const out = (headers: Record<string, string>) =>
    ask(world.url, { method: 'DELETE', path: '/api/mai/session', headers });
  // Without the token nothing ends, and the browser keeps its cookie: another site could have sent this.
  const refused = await out({ cookie: first.cookie });
  expect(refused.headers['set-cookie']).toBeUndefined();
  expect(refused.json()).toMatchObject({ signedIn: true });
  expect(await status({ cookie: first.cookie })).toBe(200);
  const left = await out({
    cookie: first.cookie,
    'x-mai-csrf': first.answer.json().csrfToken,
  });
  expect(left.headers['set-cookie']?.[0]).toContain('Max-Age=0');
  expect(await status({ cookie: first.cookie })).toBe(401);

  const second = await signIn(key);
  await clock.advance(SESSION_MS - 1);
  expect(await status({ cookie: second.cookie })).toBe(200);
  await clock.advance(1);
  expect(await status({ cookie: second.cookie })).toBe(401);

  const third = await signIn(key);
  await removeKey(file, 'admin');
  await clock.advance(1001);
  expect(await status({ cookie: third.cookie })).toBe(401);
});

test.each(['signing out', 'its time', 'the removal of its key'])(
  'the events of a session end after %s',
  async (how) => {
    const { answer, cookie } = await signIn(key);
    // A fake clock calls each timer of the stream, so the hours pass before the stream begins.
    if (how === 'its time') await clock.advance(SESSION_MS - 6000);
    const stream = await fetch(`${world.url}/api/mai/events`, { headers: { cookie } });
    expect(stream.status).toBe(200);
    let ended = false;
    const reading = stream.text().then(() => (ended = true));
    await clock.advance(5000);
    expect(ended).toBe(false);
    if (how === 'signing out') {
      await ask(world.url, {
        method: 'DELETE',
        path: '/api/mai/session',
        headers: { cookie, 'x-mai-csrf': answer.json().csrfToken },
      });
    } else if (how === 'its time') await clock.advance(1000);
    else await removeKey(file, 'admin');
    // The file of keys is read in real time, so the check may end after the clock has moved. The test's limit ends this.
    while (!ended) {
      await clock.advance(1000);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await reading;
    expect(ended).toBe(true);
  },
);

test('the oldest session ends where more than 64 are open', async () => {
  const first = await signIn(key);
  for (let index = 0; index < 63; index += 1) await signIn(key);
  expect(await status({ cookie: first.cookie })).toBe(200);
  await signIn(key);
  expect(await status({ cookie: first.cookie })).toBe(401);
});

test('wrong keys get no cookie, and after many of them the address waits', async () => {
  for (let guess = 0; guess < 11; guess += 1) {
    const { answer, setCookie } = await signIn(`mai-${guess}`);
    expect(answer.status).toBe(401);
    expect(setCookie).toBe('');
  }
  const { answer } = await signIn('mai-more');
  expect(answer.status).toBe(429);
  expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
});

test('another site cannot sign a browser in', async () => {
  const { answer } = await signIn(key, { origin: 'http://evil.example' });
  expect(answer.status).toBe(403);
});
