import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { findEngine, writeNoiseModel } from '@mai/llama-runtime';
import OpenAI from 'openai';
import { MAI, requireBuild } from '../test/built-program.js';

// The built program in its own process with a real engine: `npm test` builds before it tests.

jest.setTimeout(120_000);

let folder: string;
let models: string;
let installed: boolean;
beforeAll(async () => {
  requireBuild();
  installed = (await findEngine()) !== null;
  // A short name, because the length of Unix socket paths is limited.
  folder = mkdtempSync(path.join(tmpdir(), 'mai-'));
  models = path.join(folder, 'my models');
  mkdirSync(models);
  await writeNoiseModel(path.join(models, 'noise.gguf'), { layers: 6, width: 512 });
});
const started = new Set<ChildProcess>();
// A failed test must not leave `mai serve` to the next test.
afterEach(async () => {
  const open = [...started].filter(({ exitCode, signalCode }) => (exitCode ?? signalCode) === null);
  const closed = open.map((child) => new Promise((resolve) => child.once('close', resolve)));
  for (const child of open) child.kill('SIGKILL');
  await Promise.all(closed);
  started.clear();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Starts `mai` in a process of its own, on a machine without LM Studio. */
function start(argv: readonly string[], stdin = '') {
  const child = spawn(process.execPath, [MAI, ...argv, '--runtime', 'embedded'], {
    cwd: folder,
    env: {
      ...process.env,
      HOME: folder,
      USERPROFILE: folder,
      NO_COLOR: '1',
      XDG_DATA_HOME: folder,
      LOCALAPPDATA: folder,
      APPDATA: folder,
      XDG_CONFIG_HOME: folder,
      XDG_CACHE_HOME: folder,
    },
  });
  started.add(child);
  let out = '';
  let told = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (told += chunk.toString()));
  child.stdin.end(stdin);
  const ended = new Promise<{ exitCode: number | null; out: string; told: string }>((resolve) => {
    child.once('close', (exitCode) => resolve({ exitCode, out, told }));
  });
  return { child, ended };
}

const run = (argv: readonly string[], stdin = '') =>
  start([...argv, '--models', models], stdin).ended;

/** Starts `mai serve`, and waits until it listens. */
async function serve() {
  const { child, ended } = start(['serve', '--port', '0', '--json', '--models', models]);
  const first = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).once('line', resolve);
    void ended.then(({ told }) => reject(new Error(`It ended: ${told}`)));
  });
  const { url } = JSON.parse(first) as { readonly url: string };
  return { child, ended, client: new OpenAI({ baseURL: `${url}/v1`, apiKey: 'any' }), url };
}

interface Status {
  readonly runtime: { readonly name: string; readonly state: string };
  readonly residents: readonly {
    readonly instanceIdentifier: string;
    readonly footprint: { readonly source: string } | null;
  }[];
}
const status = async (): Promise<Status> =>
  JSON.parse((await run(['status', '--json'])).out) as Status;

/** Process ids of the engines that the registry names. */
async function engines(): Promise<readonly number[]> {
  const { readdir, readFile } = await import('node:fs/promises');
  const registry = path.join(folder, 'mai', 'engines');
  const names = await readdir(registry).catch((): readonly string[] => []);
  const texts = await Promise.all(
    names
      .filter((name) => name.endsWith('.json'))
      .map((name) => readFile(path.join(registry, name), 'utf8')),
  );
  return texts.map((text) => (JSON.parse(text) as { readonly pid: number }).pid);
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch {
    return false;
  }
}

const untilGone = async (processIds: readonly number[]): Promise<void> => {
  while (processIds.some(isAlive)) await sleep(20);
};

/** Skips a test where npm has no build of the engine for this machine. */
const withEngine = (name: string, body: () => Promise<void>): void =>
  test(name, async () => {
    if (installed) await body();
    else expect((await run(['load', 'noise'])).exitCode).toBe(4);
  });

const ASK = {
  model: 'auto',
  max_tokens: 8,
  // The most likely tokens: by chance a model of random weights may end its answer early.
  temperature: 0,
  messages: [{ role: 'user' as const, content: 'Hi' }],
};

withEngine('`mai serve` answers with real tokens, and SIGTERM leaves no process', async () => {
  const { child, client, ended } = await serve();
  const whole = await client.chat.completions.create(ASK);
  expect(whole.usage?.completion_tokens).toBe(8);
  expect(whole.choices[0]?.finish_reason).toBe('length');

  let pieces = 0;
  let usage: number | null = null;
  for await (const chunk of await client.chat.completions.create({
    ...ASK,
    stream: true,
    stream_options: { include_usage: true },
  })) {
    if ((chunk.choices[0]?.delta.content ?? '') !== '') pieces += 1;
    usage = chunk.usage?.completion_tokens ?? usage;
  }
  expect(pieces).toBeGreaterThan(1);
  expect(usage).toBe(8);

  const listed = await client.models.list();
  expect(listed.data.map(({ id }) => id)).toContain('noise');
  const running = await engines();
  expect(running).toHaveLength(1);
  child.kill('SIGTERM');
  const { exitCode, told } = await ended;
  expect(told).not.toContain('error:');
  expect(exitCode).toBe(0);
  expect(running.filter(isAlive)).toEqual([]);
  expect(await engines()).toEqual([]);
});

withEngine('other commands see and change the models of `mai serve`', async () => {
  const { child, client, ended } = await serve();
  await client.chat.completions.create(ASK);
  expect(await status()).toMatchObject({
    runtime: { name: 'embedded', state: 'running' },
    residents: [{ instanceIdentifier: 'mai/noise' }],
  });
  // This process does not know the folder. It finds the file by the record of the engine.
  const elsewhere = JSON.parse((await start(['status', '--json']).ended).out) as Status;
  expect(['gguf-header', 'measured']).toContain(elsewhere.residents[0]?.footprint?.source);
  expect(elsewhere.residents[0]?.footprint).toEqual((await status()).residents[0]?.footprint);
  const planned = await run(['load', 'noise', '--dry-run']);
  expect(planned.out).toMatch(/^Would load noise: Mai expects [\d.]+ MiB\.\n$/);
  const loaded = await run(['load', 'noise', '--identifier', 'mine', '--context', '1024']);
  expect(loaded).toMatchObject({ exitCode: 0 });
  const identifiers = (await status()).residents.map((one) => one.instanceIdentifier);
  expect([...identifiers].sort()).toEqual(['mai/noise', 'mine']);
  expect((await run(['unload', 'mine'])).exitCode).toBe(0);
  expect((await status()).residents).toHaveLength(1);
  const chat = await run(['chat', '--json'], 'Hello\n');
  expect(chat.exitCode).toBe(0);
  expect(JSON.parse(chat.out)).toMatchObject({ modelKey: 'noise', stopped: false });
  const running = await engines();
  // The engines end with the process that has started them, however it ends.
  child.kill('SIGKILL');
  await ended;
  await untilGone(running);
  expect((await status()).residents).toEqual([]);
});

withEngine('a killed engine is loaded again, and the next request is answered', async () => {
  const { child, client, ended } = await serve();
  await client.chat.completions.create(ASK);
  const [engine = 0] = await engines();
  process.kill(engine, 'SIGKILL');
  const next = await client.chat.completions.create(ASK);
  expect(next.usage?.completion_tokens).toBe(8);
  child.kill('SIGTERM');
  expect((await ended).exitCode).toBe(0);
});

withEngine('a load that no process would keep is refused with the next step', async () => {
  for (const argv of [
    ['load', 'noise'],
    ['select', '--load'],
  ]) {
    const { exitCode, out, told } = await run(argv);
    expect({ exitCode, out }).toEqual({ exitCode: 4, out: '' });
    expect(told).toContain('`mai serve` in another terminal loads the best model');
  }
  expect((await run(['select', '--load', '--dry-run'])).exitCode).toBe(0);
});

withEngine('`mai chat` runs an engine of its own, which ends with it', async () => {
  const { exitCode, out, told } = await run(['chat'], 'Hello\n/why\n');
  expect(exitCode).toBe(0);
  expect(out.length).toBeGreaterThan(1);
  expect(told).toMatch(/^Loading noise\.\nnoise answers\.\n/);
  expect(told).toMatch(/Choice: noise/);
  expect(await engines()).toEqual([]);
});

withEngine(
  '`mai models`, `mai select` and `mai doctor` describe what the engine would do',
  async () => {
    const listed = await run(['models']);
    expect(listed.out).toMatch(/noise .*✓ fits/);
    expect(listed.told).toContain(`1 from your folder (${models})`);
    expect((await run(['select'])).out).toMatch(/^Choice +noise/);
    const doctor = await run(['doctor']);
    expect(doctor.exitCode).toBe(0);
    expect(doctor.out).toContain('Embedded engine, because --runtime names it.');
    expect(doctor.out).toMatch(/Embedded engine +llama\.cpp-\S+ [\d.]+ is installed\./);
  },
);

withEngine('without a model, each command still answers', async () => {
  const none = (argv: readonly string[]) => start(argv).ended;
  const select = await none(['select']);
  expect(select.exitCode).toBe(3);
  expect(select.told).toContain('No GGUF model was found on this machine.');
  expect((await none(['models'])).exitCode).toBe(0);
  expect((await none(['doctor'])).exitCode).toBe(0);
});
