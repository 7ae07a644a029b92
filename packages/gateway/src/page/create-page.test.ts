import { createServer, type Server } from 'node:http';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ask } from '../../test/ask.js';
import { listenOn } from '../../test/worlds/serve-through.js';
import { createPage } from './create-page.js';

const INDEX = '<!doctype html><title>Mai</title>';
const SCRIPT = 'console.log(1)';

let folder: string;
let server: Server;
let url: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mai-page-'));
  const dist = path.join(folder, 'dist');
  await mkdir(path.join(dist, 'assets'), { recursive: true });
  await writeFile(path.join(folder, 'secret.txt'), 'secret');
  await writeFile(path.join(dist, 'index.html'), INDEX);
  await writeFile(path.join(dist, 'icon.svg'), '<svg/>');
  await writeFile(path.join(dist, '.env'), 'secret');
  await writeFile(path.join(dist, 'assets', 'index-BxY3k9_q.js'), SCRIPT);
  await writeFile(path.join(dist, 'assets', 'index-BxY3k9_q.js.br'), 'as brotli');
  await writeFile(path.join(dist, 'assets', 'index-BxY3k9_q.js.gz'), 'as gzip');
  await symlink(path.join(folder, 'secret.txt'), path.join(dist, 'link.txt'));
  await symlink(folder, path.join(dist, 'up'));
  const page = await createPage({ folder: dist });
  server = createServer((request, response) => page.handle(request, response));
  url = await listenOn(server);
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
});

test('the root is the index, with a policy that allows no inline script', async () => {
  const answer = await ask(url);
  expect(answer.status).toBe(200);
  expect(answer.text).toBe(INDEX);
  expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
  expect(answer.headers['cache-control']).toBe('no-cache');
  expect(answer.headers['content-security-policy']).toContain("script-src 'self'");
  expect(answer.headers['content-security-policy']).not.toContain('unsafe');
  expect(answer.headers['x-content-type-options']).toBe('nosniff');
});

test('a query changes nothing', async () => {
  expect((await ask(url, { path: '/?chain=../../secret.txt' })).text).toBe(INDEX);
});

test('a file whose name has a hash may be kept for ever', async () => {
  const answer = await ask(url, { path: '/assets/index-BxY3k9_q.js' });
  expect(answer.text).toBe(SCRIPT);
  expect(answer.headers['cache-control']).toBe('public, max-age=31536000, immutable');
  expect(answer.headers['content-type']).toBe('text/javascript; charset=utf-8');
  expect(answer.headers.vary).toBe('accept-encoding');
});

test.each([
  ['br, gzip', 'br', 'as brotli'],
  ['gzip, deflate', 'gzip', 'as gzip'],
  ['gzip;q=0, br;q=0.0', undefined, SCRIPT],
  ['', undefined, SCRIPT],
  ['brx, xgzip', undefined, SCRIPT],
])('with Accept-Encoding %j the encoding is %j', async (accepted, encoding, body) => {
  const answer = await ask(url, {
    path: '/assets/index-BxY3k9_q.js',
    headers: { 'accept-encoding': accepted },
  });
  expect(answer.headers['content-encoding']).toBe(encoding);
  expect(answer.text).toBe(body);
});

test('a known version is not sent again, and each encoding has its own version', async () => {
  const headers = { 'accept-encoding': 'br' };
  const target = '/assets/index-BxY3k9_q.js';
  const { etag } = (await ask(url, { path: target, headers })).headers;
  const plain = (await ask(url, { path: target })).headers.etag;
  expect(etag).not.toBe(plain);
  const again = await ask(url, {
    path: target,
    headers: { ...headers, 'if-none-match': `"x", W/${etag ?? ''}` },
  });
  expect(again.status).toBe(304);
  expect(again.bytes).toHaveLength(0);
  expect(again.headers['content-security-policy']).toBeDefined();
  expect((await ask(url, { path: target, headers: { 'if-none-match': etag ?? '' } })).status).toBe(
    200,
  );
});

test('HEAD has the headers and no body', async () => {
  const answer = await ask(url, { method: 'HEAD' });
  expect(answer.headers['content-length']).toBe(String(INDEX.length));
  expect(answer.bytes).toHaveLength(0);
});

test.each([
  '/../secret.txt',
  '/..%2fsecret.txt',
  '/%2e%2e/secret.txt',
  '/%2e%2e%2fsecret.txt',
  '/..%5csecret.txt',
  '/..\\secret.txt',
  '/%252e%252e/secret.txt',
  '/assets/../../secret.txt',
  '/assets/..;/index.html',
  '//secret.txt',
  '/./index.html',
  '/index.html/',
  '/index.html%00.js',
  '/%00',
  '/%',
  '/%ff',
  '/link.txt',
  '/up/secret.txt',
  '/.env',
  '/assets',
  '/assets/',
  '/assets/index-BxY3k9_q.js.br',
  '/__proto__',
  '/constructor',
  '/hasOwnProperty',
])('the path %j leads to nothing', async (target) => {
  const answer = await ask(url, { path: target });
  expect(answer.status).toBe(404);
  expect(answer.text).not.toContain('secret');
  expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
});

test('other methods are refused', async () => {
  const answer = await ask(url, { method: 'POST', body: 'x' });
  expect(answer.status).toBe(405);
  expect(answer.headers.allow).toBe('GET, HEAD');
});

test('without built files the root says where the API is', async () => {
  const page = await createPage({ folder: null });
  const bare = createServer((request, response) => page.handle(request, response));
  const address = await listenOn(bare);
  const answer = await ask(address);
  expect(answer.status).toBe(200);
  expect(answer.text).toContain('/v1');
  expect((await ask(address, { path: '/index.html' })).status).toBe(404);
  bare.closeAllConnections();
  await new Promise((resolve) => bare.close(resolve));
});

test('a folder that is not a built page is refused at the start', async () => {
  await expect(createPage({ folder: path.join(folder, 'absent') })).rejects.toMatchObject({
    code: 'FILE_UNUSABLE',
  });
  await expect(createPage({ folder: path.join(folder, 'dist', 'assets') })).rejects.toMatchObject({
    code: 'FILE_UNUSABLE',
    message: expect.stringContaining('index.html'),
  });
});
