import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { endNatsServer } from '@mai/fleet';
import { startSimulator, type Simulator } from '@mai/lmstudio-simulator';
import { MAI, requireBuild } from '../test/built-program.js';
import { chat, freePort, SERVE } from '../test/fleet-requests.js';

// The built program in processes of its own, with a real nats-server on loopback.
const MIB = 1024 ** 2;

jest.setTimeout(240_000);

let root: string;
const simulators: Simulator[] = [];
const running: ChildProcess[] = [];
beforeAll(requireBuild);
beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'mai-fleet-process-'));
});
afterEach(async () => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
  await endNatsServer({ folder: path.join(root, 'desktop', 'mai', 'fleet') });
  for (const simulator of simulators.splice(0)) await simulator.stop();
  await rm(root, { recursive: true, force: true });
});

interface Machine {
  readonly simulator: Simulator;
  /** Starts `mai`, and reads its lines of JSON. */
  start(argv: string): {
    readonly child: ChildProcess;
    line(type: string): Promise<Record<string, unknown>>;
    readonly ended: Promise<number | null>;
    /** Everything that it has printed until its end. */
    printed(): Promise<string>;
  };
}

async function openMachine(name: string, models: readonly string[]): Promise<Machine> {
  const home = path.join(root, name);
  await mkdir(home);
  const simulator = await startSimulator({
    speed: 200,
    world: {
      models: models.map((modelKey) => ({ modelKey, sizeBytes: 32 * MIB, maxContextLength: 8192 })),
      guardrails: { mode: 'off' },
    },
  });
  simulators.push(simulator);
  const config = path.join(home, 'models.yaml');
  const model = (key: string) => ({
    key,
    category: key.slice('test/'.length),
    context_window: 2048,
    capabilities: ['chat'],
  });
  await writeFile(
    config,
    JSON.stringify({
      version: 1,
      models: models.map(model),
      switching: {
        memory_percent: 95,
        hard_limit_percent: 99,
        unified_hard_limit_percent: 99,
        min_headroom: '1MiB',
        cpu_percent: 100,
      },
    }),
  );
  const env = {
    ...process.env,
    HOME: home,
    USERPROFILE: home,
    XDG_DATA_HOME: home,
    XDG_CONFIG_HOME: home,
    XDG_CACHE_HOME: home,
    LOCALAPPDATA: home,
    APPDATA: home,
    NO_COLOR: '1',
    MAI_LMSTUDIO_URL: simulator.httpUrl,
    MAI_CONFIG: config,
  };
  return {
    simulator,
    start: (argv) => {
      const child = spawn(process.execPath, [MAI, ...argv.split(' ')], { cwd: home, env });
      running.push(child);
      let told = '';
      child.stderr.on('data', (chunk: Buffer) => (told += chunk.toString()));
      const lines: string[] = [];
      createInterface(child.stdout).on('line', (line) => lines.push(line));
      const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
      return {
        child,
        ended,
        printed: async () => {
          await ended;
          return lines.join('\n') + told;
        },
        line: async (type) => {
          for (let tries = 0; tries < 1200; tries += 1) {
            const found = lines.find((line) => line.includes(`"type":"${type}"`));
            if (found !== undefined) return JSON.parse(found) as Record<string, unknown>;
            if (child.exitCode !== null) break;
            await wait(50);
          }
          throw new Error(`mai ${argv} printed no ${type}:\n${lines.join('\n')}\n${told}`);
        },
      };
    },
  };
}

test('the laptop is answered by the desktop, and goes on alone once the desktop is killed', async () => {
  const desktop = await openMachine('desktop', ['test/large']);
  const laptop = await openMachine('laptop', ['test/small']);
  const ports = `--nats-port ${await freePort()} --join-port ${await freePort()}`;
  const made = desktop.start(`fleet init --host desktop --address 127.0.0.1 ${ports}`);
  expect(await made.ended).toBe(0);
  const inviting = desktop.start('fleet invite --json');
  const { invitation } = await inviting.line('invitation');
  const joining = laptop.start(`fleet join ${String(invitation)} --host laptop`);
  expect([await joining.ended, await inviting.ended]).toEqual([0, 0]);

  const serves = [desktop.start(SERVE), laptop.start(SERVE)];
  const [there, here] = serves;
  const { url } = (await here?.line('listening')) ?? {};
  await there?.line('listening');
  // "auto" means the large model as soon as the laptop sees the desktop.
  let answered = 0;
  for (let host: string | null = null; host !== 'desktop'; await wait(200)) {
    const answer = await chat(url);
    expect(answer.status).toBe(200);
    host = answer.headers.get('x-mai-host');
    if (host === 'desktop') answered += 1;
    await answer.text();
  }

  // The answer that runs at the kill is answered again, by the laptop's own model.
  const slow = desktop.simulator.fault.slowFirstToken({ delayMs: 12_000_000 });
  const pending = chat(url);
  await desktop.simulator.seen('/v1/chat/completions', answered + 1);
  there?.child.kill('SIGKILL');
  const answer = await pending;
  slow.clear();
  expect([answer.status, answer.headers.get('x-mai-host')]).toEqual([200, null]);
  expect(answer.headers.get('x-mai-model')).toBe('test/small');
  expect(answer.headers.get('x-mai-fallbacks')).toBe('1');
  const next = await chat(url);
  expect([next.status, next.headers.get('x-mai-model')]).toEqual([200, 'test/small']);
  here?.child.kill('SIGTERM');
  expect(await here?.ended).toBe(0);
});

test('without NATS each command still says how it went, instead of ending before', async () => {
  const desktop = await openMachine('desktop', ['test/large']);
  const ports = `--nats-port ${await freePort()} --join-port ${await freePort()}`;
  expect(await desktop.start(`fleet init --host desktop --address 127.0.0.1 ${ports}`).ended).toBe(
    0,
  );
  await endNatsServer({ folder: path.join(root, 'desktop', 'mai', 'fleet') });
  // Nothing but timers runs between two tries to connect.
  const commands = ['fleet status', 'fleet rotate', 'doctor'].map((argv) => desktop.start(argv));
  const [status, rotate, doctor] = await Promise.all(commands.map((one) => one.printed()));
  expect(status).toContain('connection refused');
  // The machine that made the fleet signs its own keys.
  expect(rotate).toContain('Replaced the key of this machine.');
  expect(doctor).toContain('NATS does not answer');
});
