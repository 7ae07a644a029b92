import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { environmentOf, openWatchWorld, type WatchWorld } from '../test/watch-world.js';
import { MAI, requireBuild } from '../test/built-program.js';

// The built program in its own process: `npm test` builds before it tests.

jest.setTimeout(60_000);

let world: WatchWorld;
beforeAll(requireBuild);
beforeEach(async () => {
  world = await openWatchWorld();
});
afterEach(async () => {
  // After a failed test, a program that still runs would keep Jest from ending.
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await world[Symbol.asyncDispose]();
});

const children: ChildProcess[] = [];

/** Starts `mai` in a process of its own. */
function start(...argv: string[]) {
  const child = spawn(process.execPath, [MAI, ...argv], {
    cwd: world.folder,
    env: environmentOf(world),
  });
  children.push(child);
  let told = '';
  child.stderr.on('data', (chunk: Buffer) => (told += chunk.toString()));
  const ended = new Promise<{ exitCode: number | null; told: string }>((resolve) => {
    child.once('close', (exitCode) => resolve({ exitCode, told }));
  });
  return { child, ended };
}

/** Starts `mai serve`, and waits until it listens. */
async function serve(...argv: string[]) {
  const { child, ended } = start('serve', '--port', '0', '--json', ...argv);
  const first = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).once('line', resolve);
    void ended.then(({ told }) => reject(new Error(`It ended: ${told}`)));
  });
  const { url } = JSON.parse(first) as { readonly url: string };
  return { child, url, ended };
}

const chat = (url: string) =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'auto',
      stream: true,
      messages: [{ role: 'user', content: 'Hello' }],
    }),
  });

test('SIGTERM lets running answers end, ends `mai serve` with 0 and leaves nothing running', async () => {
  const { child, url, ended } = await serve();
  // The simulator runs a thousand times as fast as LM Studio: two seconds.
  const slow = world.simulator.fault.slowFirstToken({ delayMs: 2_000_000 });
  const running = chat(url).then((answer) => answer.text());
  await world.simulator.seen('/v1/chat/completions');
  child.kill('SIGTERM');
  expect(await running).toMatch(/data: \[DONE\]\s*$/);
  slow.clear();
  const { exitCode, told } = await ended;
  expect(told).not.toContain('error:');
  expect(exitCode).toBe(0);
  expect(world.residents()).toEqual([]);
  expect(world.simulator.connections()).toBe(0);
});

test('clients of a killed `mai serve` see a broken connection, and the next one adopts its model', async () => {
  const { child, url, ended } = await serve();
  expect(await (await chat(url)).text()).toMatch(/data: \[DONE\]\s*$/);
  world.simulator.fault.slowFirstToken({ delayMs: 30_000_000 });
  const running = chat(url).then((answer) => answer.text());
  await world.simulator.seen('/v1/chat/completions', 2);
  child.kill('SIGKILL');
  await expect(running).rejects.toThrow();
  await ended;
  world.simulator.fault.clear();
  const next = await serve();
  const answer = await chat(next.url);
  expect(answer.headers.get('x-mai-model')).toBe('test/large');
  await answer.text();
  expect(world.residents()).toEqual(['mai/test/large']);
  next.child.kill('SIGINT');
  expect((await next.ended).exitCode).toBe(0);
});

test('`mai serve` shows the page, and its decisions are known to `mai explain`', async () => {
  const { child, url, ended } = await serve();
  const page = await fetch(url);
  expect(page.headers.get('content-type')).toContain('text/html');
  // The head of the first answer may be sent before any decision was made.
  await (await chat(url)).text();
  const answer = await chat(url);
  await answer.text();
  const id = answer.headers.get('x-mai-decision') ?? 'none';
  const explained = start('explain', id, '--json');
  const [printed] = await Promise.all([text(explained.child.stdout), explained.ended]);
  expect(JSON.parse(printed)).toMatchObject({ decisions: [{ id }] });
  child.kill('SIGTERM');
  expect((await ended).exitCode).toBe(0);
});

test('without LM Studio, `mai serve` runs and says so to each request', async () => {
  const { child, url, ended } = await serve('--url', 'http://127.0.0.1:9');
  const answer = await chat(url);
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({ error: { code: 'upstream_unreachable' } });
  child.kill('SIGTERM');
  expect((await ended).exitCode).toBe(0);
});
