import { spawn } from 'node:child_process';
import { createServer, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { readFile, writeFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';
import { acquireRunningLock, systemClock, type Clock } from '@mai/autopilot';
import {
  LARGE,
  openAutopilotWorld,
  SMALL,
  type AutopilotWorld,
} from '../../test/autopilot-world.js';
import type { HandLoad } from '../control/autopilot-service.js';
import { readNote } from '../control/wire/endpoint.js';
import { PROTOCOL_VERSION } from '../control/wire/messages.js';
import type { HostOptions } from '../host-options.js';
import { findAutopilotFiles } from '../runtime/autopilot-files.js';
import { createHostAutopilot, type HostAutopilot } from './host-autopilot.js';

jest.setTimeout(60_000);

const OURS = `mai/${LARGE}`;
const byHand: HandLoad = {
  candidates: [
    {
      modelKey: SMALL,
      kind: 'llm',
      loadConfig: { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: 2048 },
    },
  ],
  identifier: 'mine',
  ttlMs: null,
  timeoutMs: null,
};
const yieldOf = (name: string) => ({
  name,
  bytes: 64 * 1024 ** 2,
  pools: 'all' as const,
  sinceMs: Date.now(),
  untilMs: null,
  processId: null,
});

/** A clock that runs `speed` times as fast as the system's clock, so that waits are shorter. */
const clockAt = (speed: number): Clock => ({
  nowMs: () => systemClock.nowMs(),
  monotonicMs: () => speed * systemClock.monotonicMs(),
  sleep: (ms, options) => systemClock.sleep(ms / speed, options),
});

let world: AutopilotWorld;
let opened: HostAutopilot[];
beforeEach(async () => {
  world = await openAutopilotWorld();
  opened = [];
});
afterEach(async () => {
  for (const one of opened) await one[Symbol.asyncDispose]();
  expect(world.warnings).toEqual([]);
  await world[Symbol.asyncDispose]();
});

const open = (options: HostOptions = {}): HostAutopilot => {
  const autopilot = createHostAutopilot(world.parts(options));
  opened.push(autopilot);
  return autopilot;
};
const filesOf = () => {
  const { runtime, context } = world.parts();
  return findAutopilotFiles(runtime, context);
};
const until = async (isSo: () => boolean | Promise<boolean>) => {
  while (!(await isSo())) await sleep(5);
};

describe('where no autopilot runs', () => {
  test('acquire runs an autopilot in this process, and disposing of the host leaves the model loaded', async () => {
    const host = open();
    expect(await host.state()).toBeNull();
    expect(await host.events()).toBeNull();
    const lease = await host.acquire({ capabilities: ['chat'] });
    expect(lease).toMatchObject({
      modelKey: LARGE,
      instanceIdentifier: OURS,
      requestHeaders: {},
      baseUrl: `${world.simulator.httpUrl}/v1`,
    });
    expect(await host.state()).toMatchObject({ leased: [OURS] });
    await lease[Symbol.asyncDispose]();
    expect(await host.state()).toMatchObject({ leased: [] });
    await host[Symbol.asyncDispose]();
    expect(world.residents()).toEqual([OURS]);
    expect(await readNote((await filesOf()).control)).toBeNull();
  });

  test('pins and yields are written to the journal for the next autopilot', async () => {
    const host = open();
    expect((await host.pin(SMALL)).delivery).toEqual({ kind: 'nobody' });
    expect((await host.pin(SMALL)).delivery).toBeNull();
    expect((await host.yieldMemory(yieldOf('game'))).delivery).toEqual({ kind: 'nobody' });
    expect(await host.journal()).toMatchObject({
      pins: [{ target: SMALL, reason: 'pin' }],
      yields: [{ name: 'game' }],
    });
    await host.unpin([SMALL]);
    await host.endYield(['game']);
    expect(await host.journal()).toMatchObject({ pins: [], yields: [] });
    expect(world.simulator.requests).toEqual([]);
  });

  test('a load by hand is pinned until it is unloaded by hand', async () => {
    const host = open();
    expect(await host.load(byHand)).toMatchObject({ delivery: { kind: 'nobody' }, pinError: null });
    expect((await host.journal()).pins).toMatchObject([{ target: 'mine', reason: 'load' }]);
    const request = { instanceIdentifiers: ['mine'], force: false };
    expect(await host.unload(request)).toMatchObject({ unloaded: [{ modelKey: SMALL }] });
    expect((await host.journal()).pins).toEqual([]);
    // A pin that a person has set stays.
    await host.load(byHand);
    await host.pin('mine');
    await host.unload(request);
    expect((await host.journal()).pins).toMatchObject([{ target: 'mine', reason: 'pin' }]);
  });

  test('the pin of a load by hand ends when another client unloads the model', async () => {
    const host = open();
    await host.load(byHand);
    await world.simulator.restart();
    await host.load({ ...byHand, identifier: 'other' });
    expect((await host.journal()).pins).toMatchObject([{ target: 'other' }]);
  });
});

describe('where another host runs the autopilot', () => {
  test('acquire asks that autopilot, and disposing of a host ends its leases', async () => {
    const holder = open();
    const session = await holder.open({ intervalMs: 20, unloadAtStop: false });
    await session.start();
    const host = open();
    const lease = await host.acquire();
    expect(lease).toMatchObject({ modelKey: LARGE, baseUrl: `${world.simulator.httpUrl}/v1` });
    expect(await holder.state()).toMatchObject({ leased: [OURS] });
    expect(await host.state()).toMatchObject({ leased: [OURS], status: 'running' });
    await host[Symbol.asyncDispose]();
    await until(async () => (await holder.state())?.leased.length === 0);
    // After the holder is disposed of, the next acquire of a third host runs an autopilot.
    const third = open();
    const first = await third.acquire();
    void first.lost.addEventListener('abort', () => void first.release());
    await holder[Symbol.asyncDispose]();
    expect(first.lost.aborted).toBe(true);
    const second = await third.acquire();
    expect(second.lost.aborted).toBe(false);
    expect(await readNote((await filesOf()).control)).toMatchObject({ processId: process.pid });
    expect(world.residents()).toEqual([OURS]);
  });

  test('hosts that acquire at the same time share one autopilot', async () => {
    const hosts = [open(), open(), open()];
    const leases = await Promise.all(hosts.flatMap((host) => [host.acquire(), host.acquire()]));
    expect(new Set(leases.map(({ instanceIdentifier }) => instanceIdentifier))).toEqual(
      new Set([OURS]),
    );
    const states = await Promise.all(hosts.map((host) => host.state()));
    expect(states).toMatchObject(hosts.map(() => ({ status: 'running', leased: [OURS] })));
    const loads = world.simulator.requests.filter(({ endpoint }) => endpoint === 'loadModel');
    expect(loads).toHaveLength(1);
  });

  test('when the autopilot stops, the next autopilot gives the lease to a caller that waits', async () => {
    const stalled = world.simulator.fault.stallLoad();
    const holder = open();
    await (await holder.open({ intervalMs: 20, unloadAtStop: false })).start();
    const host = open();
    const acquiring = host.acquire();
    await until(async () => ((await holder.state())?.waiting ?? 0) > 0);
    stalled.clear();
    await holder[Symbol.asyncDispose]();
    expect(await acquiring).toMatchObject({ modelKey: LARGE });
    expect(await host.state()).toMatchObject({ leased: [OURS] });
  });

  test("when the autopilot's process is killed, this process gives the lease to a caller that waits", async () => {
    const files = await filesOf();
    await mkdir(files.folder, { recursive: true });
    const endpoint =
      process.platform === 'win32'
        ? `\\\\.\\pipe\\mai-${process.pid}`
        : path.join(world.folder, 's');
    // A process that holds the lock, welcomes clients, and answers no call.
    const program = `
      const fs = require('node:fs');
      const [, endpoint, control, lock, hostname] = process.argv;
      const processId = process.pid, now = Date.now();
      fs.writeFileSync(lock, JSON.stringify({ token: 't', processId, hostname, sinceMs: now, aliveAtMs: now }));
      fs.writeFileSync(control, JSON.stringify({ endpoint, processId }));
      require('node:net').createServer((socket) => {
        socket.write(JSON.stringify({ type: 'welcome', protocol: ${PROTOCOL_VERSION}, processId }) + '\\n');
        socket.on('data', (data) => String(data).includes('"acquire"') && console.log('asked'));
      }).listen(endpoint, () => console.log('up'));`;
    const lock = path.join(files.folder, `running-${encodeURIComponent(files.address)}.lock`);
    const child = spawn(
      process.execPath,
      ['-e', program, endpoint, files.control, lock, hostname()],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const host = open();
    const acquiring = host.acquire();
    await new Promise((resolve) => child.stdout.once('data', resolve));
    child.kill('SIGKILL');
    expect(await acquiring).toMatchObject({ modelKey: LARGE });
    expect(await host.state()).toMatchObject({ leased: [OURS] });
    expect(await readNote(files.control)).toMatchObject({ processId: process.pid });
  });

  test('a pin, a yield or a load by hand resolves after that autopilot has read the journal', async () => {
    const holder = open();
    await (await holder.open({ intervalMs: 20 })).start();
    const host = open();
    const seen = { kind: 'seen', processId: process.pid };
    expect((await host.pin(SMALL)).delivery).toEqual(seen);
    expect((await host.yieldMemory(yieldOf('game'))).delivery).toEqual(seen);
    expect((await host.load(byHand)).delivery).toEqual(seen);
    expect(await holder.state()).toMatchObject({
      pins: [{ target: SMALL }, { target: 'mine' }],
      yields: [{ name: 'game' }],
    });
    const leased = await host.acquire();
    await expect(
      host.unload({ instanceIdentifiers: [leased.instanceIdentifier], force: false }),
    ).rejects.toMatchObject({ code: 'LOAD_REFUSED' });
    await leased.release();
    await host.unload({ instanceIdentifiers: ['mine'], force: false });
    // The autopilot must not reload a model that a person has unloaded.
    const events = await host.events();
    for await (const event of events ?? []) if (event.type === 'decided') break;
    expect(world.residents()).toEqual([OURS]);
  });

  test('other hosts do not find an autopilot in a dry run', async () => {
    const dry = await open().open({ intervalMs: 20, dryRun: true });
    await dry.start();
    const host = open();
    expect(await host.state()).toBeNull();
    expect((await host.pin(SMALL)).delivery).toEqual({ kind: 'nobody' });
  });
});

describe('where the autopilot does not answer', () => {
  test('a pin is written to the journal, and the error of acquire names the process that runs the autopilot', async () => {
    const files = await filesOf();
    await mkdir(files.folder, { recursive: true });
    const lock = await acquireRunningLock(files.folder, files.address, systemClock);
    // Acts as another version of Mai.
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end('{"type":"welcome","protocol":9,"processId":1}\n');
    });
    const endpoint =
      process.platform === 'win32'
        ? `\\\\.\\pipe\\mai-${process.pid}`
        : path.join(world.folder, 's');
    await new Promise<void>((resolve) => server.listen(endpoint, () => resolve()));
    await writeFile(files.control, JSON.stringify({ endpoint, processId: process.pid }));
    const host = open({ clock: clockAt(30) });
    const { journal, delivery } = await host.pin(SMALL);
    expect(journal.pins).toMatchObject([{ target: SMALL }]);
    expect(delivery).toEqual({ kind: 'waiting', processId: process.pid });
    await expect(host.acquire()).rejects.toMatchObject({
      code: 'AUTOPILOT_INCOMPATIBLE',
      processId: process.pid,
    });
    server.close();
    // The lock is taken, but no process listens. So acquire waits, and then rejects.
    await expect(host.acquire()).rejects.toMatchObject({ code: 'ALREADY_RUNNING' });
    await lock.release();
  });

  test('the note of a killed process is ignored', async () => {
    const files = await filesOf();
    await mkdir(files.folder, { recursive: true });
    const endpoint = path.join(files.folder, 'mai-0123456789ab.sock');
    await writeFile(files.control, JSON.stringify({ endpoint, processId: 999_999 }));
    const host = open();
    expect((await host.pin(SMALL)).delivery).toEqual({ kind: 'nobody' });
    expect(await host.acquire()).toMatchObject({ modelKey: LARGE });
    expect((await readNote(files.control))?.processId).toBe(process.pid);
  });
});

test('acquire leases a model that a person has loaded, if this model is the best that fits', async () => {
  const host = open();
  const loadConfig = { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: 4096 };
  const candidates = [{ modelKey: LARGE, kind: 'llm' as const, loadConfig }];
  await host.load({ ...byHand, candidates, identifier: LARGE });
  expect(await host.acquire()).toMatchObject({ instanceIdentifier: LARGE, modelKey: LARGE });
  expect(world.residents()).toEqual([LARGE]);
});

test('acquire throws TIMED_OUT where LM Studio answers over its WebSocket, but not in time over HTTP', async () => {
  const faults = ['/v1/models', '/api/v0/models'].map((endpoint) =>
    world.simulator.fault.hang({ endpoint }),
  );
  const host = open({ timeoutMs: 1000 });
  await expect(host.acquire()).rejects.toMatchObject({
    name: 'LMStudioError',
    code: 'TIMED_OUT',
  });
  expect(faults.map(({ hits }) => hits)).toEqual([1, 1]);
  expect(await host.load(byHand)).toMatchObject({ instance: { modelKey: SMALL } });
  for (const fault of faults) fault.clear();
  expect(await host.acquire()).toMatchObject({ baseUrl: `${world.simulator.httpUrl}/v1` });
});

test('acquire throws NOTHING_FITS with the decision where no model fits', async () => {
  world.machine.othersBytes = 31 * 1024 ** 3;
  await expect(open().acquire()).rejects.toMatchObject({
    name: 'HostError',
    code: 'NOTHING_FITS',
    selection: { decision: 'none' },
  });
});

test('a missing configuration and an unknown chain are errors', async () => {
  const host = open({ config: undefined, configFile: 'missing.yaml' });
  await expect(host.acquire()).rejects.toMatchObject({ code: 'CONFIG_NOT_FOUND' });
  await expect(open().open({ selection: { chain: 'none' } })).rejects.toMatchObject({
    code: 'INVALID_REQUEST',
  });
});

test('while LM Studio is off, acquire throws and pin works', async () => {
  await world.simulator.stop();
  const host = open();
  await expect(host.acquire()).rejects.toMatchObject({ code: 'UNREACHABLE' });
  await expect(host.load(byHand)).rejects.toMatchObject({ code: 'UNREACHABLE' });
  expect((await host.pin(SMALL)).delivery).toEqual({ kind: 'nobody' });
});

test("a cancelled acquire rejects with the signal's reason, also while the autopilot starts", async () => {
  const host = open();
  const reason = new Error('enough');
  const controller = new AbortController();
  const acquiring = host.acquire({}, { signal: controller.signal });
  controller.abort(reason);
  await expect(acquiring).rejects.toBe(reason);
  world.simulator.fault.stallLoad();
  const later = new AbortController();
  const waiting = host.acquire({}, { signal: later.signal });
  await until(async () => ((await host.state())?.waiting ?? 0) > 0);
  later.abort(reason);
  await expect(waiting).rejects.toBe(reason);
});

test('an autopilot that acquire has started writes its decisions to the log', async () => {
  const host = open();
  await host.acquire();
  await host[Symbol.asyncDispose]();
  const { decisionLog } = await filesOf();
  expect(await readFile(decisionLog, 'utf8')).toContain(LARGE);
});

test('acquire rejects a malformed requirement, both where this process runs the autopilot and where another does', async () => {
  // A JavaScript program may pass such a value.
  const wrong: Parameters<HostAutopilot['acquire']>[0] = JSON.parse('{ "tiers": ["huge"] }');
  const error = {
    name: 'HostError',
    code: 'INVALID_REQUEST',
    message: expect.stringContaining('"tiers":["huge"]'),
  };
  const holder = open();
  await expect(holder.acquire(wrong)).rejects.toMatchObject(error);
  await holder.acquire();
  const host = open();
  await expect(host.acquire(wrong)).rejects.toMatchObject(error);
});

test('disposing of a host does not wait for an autopilot that does not answer', async () => {
  const files = await filesOf();
  await mkdir(files.folder, { recursive: true });
  const sockets: Socket[] = [];
  // Acts as an autopilot whose process is suspended: it accepts connections and sends nothing.
  const server = createServer((socket) => sockets.push(socket));
  const endpoint =
    process.platform === 'win32'
      ? `\\\\.\\pipe\\mai-frozen-${process.pid}`
      : path.join(world.folder, 's');
  await new Promise<void>((resolve) => server.listen(endpoint, () => resolve()));
  await writeFile(files.control, JSON.stringify({ endpoint, processId: process.pid }));
  const host = open();
  // The autopilot has 5 s to answer, from a moment after this timer starts.
  const answerIsOverdue = sleep(5000, 'answer is overdue', { ref: false });
  const acquiring = host.acquire();
  acquiring.catch(() => undefined);
  await until(() => sockets.length > 0);
  const disposed = host[Symbol.asyncDispose]().then(() => 'disposed');
  expect(await Promise.race([disposed, answerIsOverdue])).toBe('disposed');
  await expect(acquiring).rejects.toMatchObject({ name: 'AbortError' });
  for (const socket of sockets) socket.destroy();
  server.close();
});
