import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { startSimulator, type Simulator, type SimulatorOptions } from '@mai/lmstudio-simulator';
import { build } from 'esbuild';
import { isToldFailure, isWhole, talk } from '../test/talk.js';
import { TWO_CHAT_MODELS_WORLD } from '../test/worlds/two-chat-models.js';

jest.setTimeout(60_000);

const CHAT = '/v1/chat/completions';
const ASK = { model: 'auto', messages: [{ role: 'user' as const, content: 'Hello' }] };
const STREAM = { ...ASK, stream: true };

/** A gateway in a process of its own. */
interface GatewayProcess {
  readonly url: string;
  readonly child: ChildProcess;
  /** Resolves with the exit code or the signal that ended the process. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
  readonly errors: () => string;
}

let script = '';
let bundleFolder = '';
beforeAll(async () => {
  bundleFolder = await mkdtemp(path.join(tmpdir(), 'mai-bundle-'));
  script = path.join(bundleFolder, 'gateway-process.mjs');
  await build({
    entryPoints: [path.join(__dirname, '../test/worlds/gateway-process.ts')],
    outfile: script,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'silent',
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module';const require = __createRequire(import.meta.url);",
    },
  });
});
afterAll(() => rm(bundleFolder, { recursive: true, force: true }));

let simulator: Simulator;
let folder = '';
const children = new Set<ChildProcess>();

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mai-'));
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
  await simulator.stop();
  await rm(folder, { recursive: true, force: true });
});

async function simulate(options: SimulatorOptions = {}): Promise<void> {
  const { world, ...rest } = options;
  simulator = await startSimulator({
    speed: 50,
    ...rest,
    world: { ...TWO_CHAT_MODELS_WORLD, ...world },
  });
}

/** @param limit - a shell command before the start, such as `ulimit -f 0` */
async function startGateway(limit: string | null = null): Promise<GatewayProcess> {
  const args = [script, simulator.httpUrl, folder];
  const child =
    limit === null
      ? spawn(process.execPath, args)
      : spawn('/bin/sh', ['-c', `${limit}; exec "$0" "$@"`, process.execPath, ...args]);
  children.add(child);
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once('exit', (code, signal) => {
      children.delete(child);
      resolve(code ?? signal);
    });
  });
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString().trim()));
    void ended.then(() => reject(new Error(`The gateway ended: ${errors}`)));
  });
  return { url, child, ended, errors: () => errors };
}

function loads(): number {
  return simulator.requests.filter(({ endpoint }) => endpoint === 'loadModel').length;
}

describe('a gateway that receives SIGTERM under load', () => {
  it('ends the running streams whole, and ends with 0', async () => {
    await simulate({ speed: 5, world: { answers: { textTokens: 400 } } });
    const gateway = await startGateway();
    const streams = Array.from({ length: 4 }, () => talk(gateway.url, CHAT, STREAM));
    await Promise.all(streams.map(({ first }) => first));
    gateway.child.kill('SIGTERM');
    const endings = await Promise.all(streams.map(({ end }) => end));
    expect(endings.map(isWhole)).toEqual([true, true, true, true]);
    expect(await gateway.ended).toBe(0);
    expect(gateway.errors()).toBe('');
    const after = await talk(gateway.url, CHAT, ASK).end;
    expect(after).toMatchObject({ status: 0, broken: true });
  });

  it('tells the waiting requests that it stops', async () => {
    await simulate({ speed: 5 });
    const gateway = await startGateway();
    const waiting = [talk(gateway.url, CHAT, ASK), talk(gateway.url, CHAT, STREAM)];
    await simulator.seen('loadModel');
    gateway.child.kill('SIGTERM');
    for (const ending of await Promise.all(waiting.map(({ end }) => end))) {
      expect(isWhole(ending) || isToldFailure(ending)).toBe(true);
    }
    expect(await gateway.ended).toBe(0);
  });
});

describe('a gateway that is killed', () => {
  it('breaks the connections of its clients, and its successor uses what is loaded', async () => {
    await simulate({ speed: 5, world: { answers: { textTokens: 2000 } } });
    const first = await startGateway();
    const streams = Array.from({ length: 4 }, () => talk(first.url, CHAT, STREAM));
    await Promise.all(streams.map((one) => one.first));
    first.child.kill('SIGKILL');
    const endings = await Promise.all(streams.map(({ end }) => end));
    expect(endings.map(({ broken }) => broken)).toEqual([true, true, true, true]);
    expect(await first.ended).toBe('SIGKILL');
    const second = await startGateway();
    const next = talk(second.url, CHAT, { ...STREAM, max_tokens: 5 });
    expect(isWhole(await next.end)).toBe(true);
    expect(loads()).toBe(1);
    second.child.kill('SIGTERM');
    expect(await second.ended).toBe(0);
  });
});

const linux = process.platform === 'linux' ? describe : describe.skip;
linux('a gateway whose disk is full', () => {
  it('goes on serving, and loads other models', async () => {
    await simulate();
    const gateway = await startGateway();
    expect(isWhole(await talk(gateway.url, CHAT, ASK).end)).toBe(true);
    // From now on each write to a file of any length fails.
    await promisify(execFile)('prlimit', ['--pid', String(gateway.child.pid), '--fsize=0']);
    for (let round = 0; round < 10; round += 1) {
      expect(isWhole(await talk(gateway.url, CHAT, round % 2 === 0 ? ASK : STREAM).end)).toBe(true);
    }
    const other = await talk(gateway.url, CHAT, { ...ASK, model: 'test/small' }).end;
    expect(isWhole(other)).toBe(true);
    expect(gateway.errors()).toContain('could not be written');
    gateway.child.kill('SIGTERM');
    expect(await gateway.ended).toBe(0);
  });

  it('from its start gives each client the reason why it cannot serve', async () => {
    await simulate();
    const gateway = await startGateway('ulimit -f 0');
    const ending = await talk(gateway.url, CHAT, ASK).end;
    expect(ending.status).toBe(503);
    expect(ending.text).toContain(folder);
    expect(ending.text).toContain('can be written');
    gateway.child.kill('SIGTERM');
    expect(await gateway.ended).toBe(0);
  });
});
