import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runMai } from '../../../test/run-mai.js';
import { openWatchWorld, type WatchWorld } from '../../../test/watch-world.js';
import { CONNECT_CLIENTS } from '../../arguments/choices.js';

jest.setTimeout(60_000);

let world: WatchWorld;
beforeEach(async () => {
  world = await openWatchWorld();
});
afterEach(() => world[Symbol.asyncDispose]());

const chat = (url: string, headers: Record<string, string> = {}) =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: 'Hello' }] }),
  });

test('`mai serve --json` prints its address first, answers a chat on `auto`, and ends with 0', async () => {
  const serve = world.start('serve --port 0 --json');
  const { url, ...listening } = await serve.line('listening');
  expect(serve.lines()[0]).toMatchObject({ type: 'listening', url });
  expect(listening).toEqual({
    schemaVersion: 1,
    type: 'listening',
    host: '127.0.0.1',
    port: Number(new URL(String(url)).port),
  });
  const answer = await chat(String(url));
  expect(answer.status).toBe(200);
  expect(answer.headers.get('x-mai-model')).toBe('test/large');
  expect(answer.headers.get('x-mai-decision')).toMatch(/^[0-9a-z]+-[0-9a-z]+$/);
  expect(await answer.json()).toMatchObject({ object: 'chat.completion' });
  await serve.line('autopilot', ({ place }) => place === 'here');
  const { exitCode, err } = await serve.interrupt();
  expect(err).toContain('Stopping. New requests are refused');
  expect(exitCode).toBe(0);
});

test('the requests of every client that `mai connect` knows are answered on `auto`', async () => {
  const chat = { category: 'large' as const, context_window: 4096 };
  await world.writeConfig({
    models: [{ ...chat, key: 'test/large', capabilities: ['chat', 'tools', 'vision'] }],
    fallback_chains: { default: ['test/large'] },
  });
  const serve = world.start('serve --port 0 --json');
  const { url } = await serve.line('listening');
  for (const client of CONNECT_CLIENTS) {
    const io = { homeFolder: world.folder, cwd: world.folder };
    const tested = await runMai(['connect', client, '--test', '--gateway', String(url)], io);
    expect(`${client}:\n${tested.out}${tested.err}`).not.toContain('FAILED');
    expect(tested.exitCode).toBe(0);
  }
  expect((await serve.interrupt()).exitCode).toBe(0);
});

test('`mai serve` uses the autopilot of `mai watch`', async () => {
  const watch = world.start('watch --json');
  await watch.line('switch-finished');
  const serve = world.start('serve --port 0 --json');
  await serve.line('autopilot', ({ place }) => place === 'elsewhere');
  const { url } = await serve.line('listening');
  expect((await chat(String(url))).headers.get('x-mai-model')).toBe('test/large');
  expect((await serve.interrupt()).exitCode).toBe(0);
  expect(world.residents()).toEqual(['mai/test/large']);
  expect((await watch.interrupt()).exitCode).toBe(0);
});

test('another address than loopback needs an API key', async () => {
  const refused = await world.mai('serve --port 0 --listen 0.0.0.0');
  expect(refused).toMatchObject({ exitCode: 2, out: '' });
  expect(refused.err).toBe(
    'error: Other machines can reach 0.0.0.0, so the gateway needs an API key there. Make one with "mai keys add NAME", or listen on 127.0.0.1.\n',
  );
  const key = (await world.mai('keys add laptop')).out.trim();
  const serve = world.start('serve --port 0 --listen 0.0.0.0 --json');
  const { port } = await serve.line('listening');
  const url = `http://127.0.0.1:${Number(port)}`;
  const stranger = await chat(url);
  expect([stranger.status, await stranger.json()]).toMatchObject([
    401,
    { error: { code: 'unauthorized' } },
  ]);
  expect((await chat(url, { authorization: `Bearer ${key}` })).status).toBe(200);
  expect((await serve.interrupt()).exitCode).toBe(0);
  expect(serve.out() + serve.err()).not.toContain(key);
});

test('an address in use ends `mai serve` with 10', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  const refused = await world.mai(`serve --port ${port}`);
  await new Promise((resolve) => other.close(resolve));
  expect(refused).toMatchObject({ exitCode: 10, out: '' });
  expect(refused.err).toBe(
    `error: Another program listens on 127.0.0.1:${port}. Stop it, or choose another port with --port (0 takes a free one).\n`,
  );
});

test('a certificate without its private key is a usage error', async () => {
  const { exitCode, err } = await world.mai('serve --port 0 --tls-cert cert.pem');
  expect([exitCode, err]).toEqual([
    2,
    'error: --tls-cert needs --tls-key. See `mai serve --help`.\n',
  ]);
});

describe('with TLS', () => {
  // Not in the world's folder: its name has a space, at which the line of arguments is split.
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'mai-tls-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** Makes a certificate for localhost and its key. Returns their files. */
  const makeCertificate = (name: string) => {
    const files = {
      cert: path.join(folder, `${name}-cert.pem`),
      key: path.join(folder, `${name}-key.pem`),
    };
    const made = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
    execFileSync(
      'openssl',
      ['req', ...made, '-days', '1', ...names, '-out', files.cert, '-keyout', files.key],
      { stdio: 'ignore' },
    );
    return files;
  };
  const options = ({ cert, key }: { cert: string; key: string }) =>
    `serve --port 0 --json --tls-cert ${cert} --tls-key ${key}`;

  test('the address is https, and a client that trusts the certificate is answered', async () => {
    const files = makeCertificate('own');
    const serve = world.start(options(files));
    const { url } = await serve.line('listening');
    expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    const ca = await readFile(files.cert);
    const status = await new Promise((resolve, reject) => {
      get(`${String(url)}/healthz`, { ca, agent: false }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      }).on('error', reject);
    });
    expect(status).toBe(200);
    const stranger = new Promise((resolve, reject) => {
      get(`${String(url)}/healthz`, { agent: false }, resolve).on('error', reject);
    });
    await expect(stranger).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    expect((await serve.interrupt()).exitCode).toBe(0);
  });

  test('a missing file is a usage error that names the file', async () => {
    const { cert } = makeCertificate('own');
    const missing = path.join(folder, 'missing.pem');
    const { exitCode, out } = await world.mai(options({ cert, key: missing }));
    expect(exitCode).toBe(2);
    expect(JSON.parse(out)).toMatchObject({ error: { message: expect.stringContaining(missing) } });
  });

  test('the key of another certificate, and a file that is not a certificate, get one sentence', async () => {
    const [own, other] = [makeCertificate('own'), makeCertificate('other')];
    const text = path.join(folder, 'text.pem');
    await writeFile(text, 'not a certificate');
    for (const wrong of [
      { cert: own.cert, key: other.key },
      { cert: text, key: own.key },
      { cert: own.cert, key: text },
    ]) {
      const { exitCode, out } = await world.mai(options(wrong));
      expect(exitCode).toBe(2);
      expect(JSON.parse(out)).toMatchObject({
        error: {
          code: 'FILE_UNUSABLE',
          message:
            'The TLS certificate and private key cannot be used together. Give a certificate in PEM and its own unencrypted private key in PEM.',
        },
      });
    }
  });
});

test('the metrics name the version of Mai', async () => {
  const serve = world.start('serve --port 0 --json');
  const { url } = await serve.line('listening');
  const text = await (await fetch(`${String(url)}/metrics`)).text();
  expect(text).toMatch(/^mai_build_info\{version="\d+\.\d+\.\d+[^"]*"\} 1$/m);
  expect((await serve.interrupt()).exitCode).toBe(0);
});
