import { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { endNatsServer, readFleetIdentity } from '@mai/fleet';
import { startSimulator, type Simulator } from '@mai/lmstudio-simulator';
import { runMai } from '../../../test/run-mai.js';
import { startMai, type RunningMai } from '../../../test/start-mai.js';
import { chat, freePort, SERVE } from '../../../test/fleet-requests.js';

jest.setTimeout(240_000);

const MIB = 1024 ** 2;
const LARGE = 'test/large';
const SMALL = 'test/small';

/** A machine with its own home folder and its own LM Studio. */
interface Machine {
  readonly simulator: Simulator;
  readonly options: {
    readonly homeFolder: string;
    readonly cwd: string;
    readonly env: Record<string, string>;
  };
  mai(argv: string): ReturnType<typeof runMai>;
  start(argv: string): RunningMai;
}

let root: string;
let desktop: Machine;
let laptop: Machine;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'mai-fleet-'));
  desktop = await openMachine('desktop', {});
  // Nothing fits the laptop.
  laptop = await openMachine('laptop', { min_headroom: '4096GiB' });
});
afterEach(async () => {
  await endNatsServer({ folder: path.join(root, 'desktop', '.local', 'share', 'mai', 'fleet') });
  for (const { simulator } of [desktop, laptop]) await simulator.stop();
  await rm(root, { recursive: true, force: true });
});

async function openMachine(name: string, switching: object): Promise<Machine> {
  const simulator = await startSimulator({
    speed: 200,
    world: {
      models: [
        { modelKey: LARGE, sizeBytes: 64 * MIB, maxContextLength: 32_768 },
        { modelKey: SMALL, sizeBytes: 16 * MIB, maxContextLength: 32_768 },
      ],
      guardrails: { mode: 'off' },
    },
  });
  const homeFolder = path.join(root, name);
  await (await import('node:fs/promises')).mkdir(homeFolder);
  const config = path.join(homeFolder, 'models.yaml');
  await writeFile(
    config,
    JSON.stringify({
      version: 1,
      models: [
        { key: LARGE, category: 'large', context_window: 4096, capabilities: ['chat'] },
        { key: SMALL, category: 'small', context_window: 4096, capabilities: ['chat'] },
      ],
      fallback_chains: { default: [LARGE, SMALL] },
      switching: { dwell: '1s', cool_down: '1s', min_headroom: '16MiB', ...switching },
    }),
  );
  const env = { MAI_LMSTUDIO_URL: simulator.httpUrl, MAI_CONFIG: config };
  const options = { homeFolder, cwd: homeFolder, env };
  return {
    simulator,
    options,
    mai: (argv) => runMai(argv.split(' '), options),
    start: (argv) => startMai(argv.split(' '), options),
  };
}

/** Pairs the two machines by an invitation. */
async function pair(): Promise<void> {
  const ports = `--nats-port ${await freePort()} --join-port ${await freePort()}`;
  const made = await desktop.mai(`fleet init --host desktop --address 127.0.0.1 ${ports}`);
  expect(made).toMatchObject({ exitCode: 0 });
  await addLaptop();
}

async function addLaptop(): Promise<void> {
  const inviting = desktop.start('fleet invite --json');
  const { invitation } = await inviting.line('invitation');
  const joined = await laptop.mai(`fleet join ${String(invitation)} --host laptop --json`);
  expect(JSON.parse(joined.out)).toMatchObject({
    schemaVersion: 1,
    host: 'laptop',
    authority: 'desktop',
  });
  expect(await inviting.ended).toBe(0);
  expect(inviting.lines().at(-1)).toMatchObject({ type: 'joined', host: 'laptop', told: true });
}

/** Waits until the gateway's list of models names both hosts. */
async function untilBothServe({
  url,
  told,
}: {
  readonly url: unknown;
  readonly told: () => string;
}): Promise<void> {
  const untilMs = Date.now() + 60_000;
  for (;;) {
    if (Date.now() > untilMs) throw new Error(`The other host is not seen:\n${told()}`);
    const list = (await (await fetch(`${String(url)}/v1/models`)).json()) as {
      data: { id: string; mai: { hosts: string[] } }[];
    };
    if (list.data.find(({ id }) => id === LARGE)?.mai.hosts.length === 2) return;
    await wait(100);
  }
}

test('a machine without a fleet is told how to get into one', async () => {
  for (const argv of ['serve --fleet --port 0', 'fleet status', 'fleet rotate', 'fleet leave']) {
    const { exitCode, err } = await laptop.mai(argv);
    expect([argv, exitCode]).toEqual([argv, 10]);
    expect(err).toContain('mai fleet init');
  }
});

test('a client of one machine gets its answer from the other, where the model fits, and the reason in numbers', async () => {
  await pair();
  const serves = [desktop.start(SERVE), laptop.start(SERVE)];
  const [there, here] = await Promise.all(serves.map((one) => one.line('listening')));
  const told = (): string => serves.map(({ err }) => err()).join('\n');
  await untilBothServe({ url: here?.['url'], told });
  await untilBothServe({ url: there?.['url'], told });
  const answer = await chat(here?.['url']);
  expect([answer.status, answer.headers.get('x-mai-host')]).toEqual([200, 'desktop']);
  expect(answer.headers.get('x-mai-model')).toBe(LARGE);
  expect(await answer.json()).toMatchObject({ object: 'chat.completion' });
  expect(desktop.simulator.residents().map(({ modelKey }) => modelKey)).toEqual([LARGE]);
  expect(laptop.simulator.residents()).toEqual([]);

  const streamed = await chat(here?.['url'], { stream: true });
  expect(await streamed.text()).toMatch(/data: \[DONE\]\s*$/);

  const id = answer.headers.get('x-mai-placement');
  const explained = await laptop.mai(`fleet explain ${String(id)}`);
  expect(explained.exitCode).toBe(0);
  expect(explained.out).toMatch(/^desktop gave the request a lease on test\/large after \d/);
  expect(explained.out).toMatch(/laptop.*does not fit/i);

  const page = await fetch(`${String(here?.['url'])}/api/mai/fleet`);
  expect(await page.json()).toMatchObject({
    state: 'member',
    ownHost: 'laptop',
    connected: true,
    hostCount: 2,
    hosts: [
      { host: 'laptop', own: true, load: { running: 0 } },
      { host: 'desktop', condition: 'ready', residents: [{ modelKey: LARGE }] },
    ],
    placements: expect.arrayContaining([
      expect.objectContaining({ id, host: 'desktop', modelKey: LARGE }),
    ]),
  });

  const status = await laptop.mai('fleet status');
  expect(status.out).toMatch(
    /laptop +this machine, ready +(idle|\d+ running).* \d+ % of its limit/,
  );
  expect(status.out).toMatch(/desktop +ready/);
  for (const serve of serves) expect((await serve.interrupt()).exitCode).toBe(0);
  // Alone, the laptop has nothing that fits.
  expect(laptop.simulator.residents()).toEqual([]);
});

const folderOf = (machine: string): string =>
  path.join(root, machine, '.local', 'share', 'mai', 'fleet');
const certificateOf = async (machine: string): Promise<string> => {
  const { certificate } = await readFleetIdentity(folderOf(machine));
  return new X509Certificate(certificate).fingerprint256;
};

/** Waits until the gateway's list of models names only its own host. */
async function untilAlone(url: unknown): Promise<void> {
  const untilMs = Date.now() + 60_000;
  for (;;) {
    const list = (await (await fetch(`${String(url)}/v1/models`)).json()) as {
      data: { id: string; mai: { hosts?: string[] } }[];
    };
    const hosts = list.data.find(({ id }) => id === LARGE)?.mai.hosts ?? [];
    if (hosts.length <= 1) return;
    if (Date.now() > untilMs) throw new Error(`Still listed: ${hosts.join(', ')}`);
    await wait(100);
  }
}

test('a joined machine and the authority rotate their keys, and both stay in the fleet', async () => {
  await pair();
  const serves = [desktop.start(SERVE), laptop.start(SERVE)];
  const [, here] = await Promise.all(serves.map((one) => one.line('listening')));
  const before = [await certificateOf('desktop'), await certificateOf('laptop')];
  const planned = await laptop.mai('fleet rotate --dry-run');
  expect(planned).toMatchObject({ exitCode: 0, out: 'Would replace the key of this machine.\n' });
  expect(await certificateOf('laptop')).toBe(before[1]);

  const [first, second] = [
    await laptop.mai('fleet rotate'),
    await desktop.mai('fleet rotate --json'),
  ];
  expect(first).toMatchObject({ exitCode: 0, out: 'Replaced the key of this machine.\n' });
  expect(second.json()).toMatchObject({ schemaVersion: 1, dryRun: false });
  const after = [await certificateOf('desktop'), await certificateOf('laptop')];
  expect(new Set([...before, ...after]).size).toBe(4);
  // The gateways took up the new certificates: the laptop, where nothing fits, is answered by the desktop.
  await untilBothServe({
    url: here?.['url'],
    told: () => serves.map(({ err }) => err()).join('\n'),
  });
  const answer = await chat(here?.['url']);
  expect([answer.status, answer.headers.get('x-mai-host')]).toEqual([200, 'desktop']);
  await answer.text();
  for (const serve of serves) expect((await serve.interrupt()).exitCode).toBe(0);
});

test('a machine that is being stopped tells the others while its last answer runs, and gets no further request', async () => {
  await pair();
  const serves = [desktop.start(SERVE), laptop.start(SERVE)];
  const [there, here] = await Promise.all(serves.map((one) => one.line('listening')));
  const told = (): string => serves.map(({ err }) => err()).join('\n');
  await untilBothServe({ url: here?.['url'], told });
  // The simulator runs 200 times as fast as LM Studio: ten seconds.
  desktop.simulator.fault.slowFirstToken({ delayMs: 2_000_000 });
  let isAnswered = false;
  const running = chat(there?.['url']).finally(() => (isAnswered = true));
  await desktop.simulator.seen('/v1/chat/completions');
  const stopping = serves[0]?.interrupt();
  const condition = async (): Promise<unknown> => {
    const answer = await fetch(`${String(here?.['url'])}/api/mai/fleet`);
    const { hosts } = (await answer.json()) as { hosts: { host: string; condition: string }[] };
    return hosts.find(({ host }) => host === 'desktop')?.condition;
  };
  while ((await condition()) === 'ready') await wait(20);
  expect([await condition(), isAnswered]).toEqual(['stopping', false]);
  // Nothing fits the laptop itself.
  const refused = await chat(here?.['url']);
  expect([refused.status, refused.headers.get('x-mai-host')]).toEqual([503, null]);
  const asked = desktop.simulator.requests.filter(
    ({ endpoint }) => endpoint === '/v1/chat/completions',
  );
  expect(asked).toHaveLength(1);
  expect((await running).status).toBe(200);
  expect((await stopping)?.exitCode).toBe(0);
  expect((await serves[1]?.interrupt())?.exitCode).toBe(0);
});

test('a removed machine is out at once, and goes on alone', async () => {
  await pair();
  const serves = [desktop.start(SERVE), laptop.start(SERVE)];
  const [there, here] = await Promise.all(serves.map((one) => one.line('listening')));
  const told = (): string => serves.map(({ err }) => err()).join('\n');
  await untilBothServe({ url: there?.['url'], told });
  await untilBothServe({ url: here?.['url'], told });

  expect((await desktop.mai('fleet remove laptop --dry-run')).out).toBe('Would remove laptop.\n');
  const notHere = await laptop.mai('fleet remove desktop');
  expect([notHere.exitCode, notHere.err]).toEqual([10, expect.stringContaining('mai fleet init')]);
  const removed = await desktop.mai('fleet remove laptop --json');
  expect(removed.exitCode).toBe(0);
  expect(removed.json()).toMatchObject({
    schemaVersion: 1,
    dryRun: false,
    removed: 'laptop',
    told: true,
    serversWithout: [],
  });
  await untilAlone(there?.['url']);
  await untilAlone(here?.['url']);
  const answer = await chat(here?.['url']);
  expect([answer.ok, answer.headers.get('x-mai-host')]).toEqual([false, null]);
  await answer.text();
  const again = await desktop.mai('fleet remove laptop');
  expect([again.exitCode, again.err]).toEqual([10, expect.stringContaining('no host laptop')]);
  for (const serve of serves) expect((await serve.interrupt()).exitCode).toBe(0);
});

test('a machine leaves, joins again, and the machine that made the fleet ends it', async () => {
  await pair();
  const serve = desktop.start(SERVE);
  await serve.line('listening');
  const refused = await desktop.mai('fleet leave');
  expect([refused.exitCode, refused.err]).toEqual([2, expect.stringContaining('--end-fleet')]);
  expect((await laptop.mai('fleet leave --dry-run')).out).toBe('Would leave the fleet.\n');
  const left = await laptop.mai('fleet leave --json');
  expect(left.json()).toMatchObject({ schemaVersion: 1, dryRun: false, kind: 'left', told: true });
  expect(existsSync(folderOf('laptop'))).toBe(false);
  expect((await laptop.mai('fleet status')).exitCode).toBe(10);

  await addLaptop();
  expect((await serve.interrupt()).exitCode).toBe(0);
  const ended = await desktop.mai('fleet leave --end-fleet');
  expect(ended).toMatchObject({
    exitCode: 0,
    out: 'The fleet has ended, and its keys are deleted.\n',
  });
  expect(existsSync(folderOf('desktop'))).toBe(false);
  // The laptop keeps its keys, and nothing answers any more.
  const status = await laptop.mai('fleet status --json');
  expect(status.json()).toMatchObject({ ownHost: 'laptop', connected: false, hosts: [] });
});
