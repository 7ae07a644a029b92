import { setTimeout as sleep } from 'node:timers/promises';
import type { AutopilotEvent } from '@mai/autopilot';
import { DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';
import {
  openAutopilotWorld,
  SMALL,
  LARGE,
  type AutopilotWorld,
} from '../../test/autopilot-world.js';
import type { AutopilotSession } from '../autopilot/open-autopilot.js';
import { openAutopilot } from '../autopilot/open-autopilot.js';
import type { AutopilotService, HandLoad } from './autopilot-service.js';
import { connectControl } from './client/connect-control.js';

jest.setTimeout(60_000);

const ANY = { capabilities: [], minContextLengthTokens: null, tiers: null };
const VISION = { ...ANY, capabilities: ['vision'] };
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

interface Subject {
  readonly service: AutopilotService;
  readonly close: () => Promise<void>;
}

const SUBJECTS: Record<string, (session: AutopilotSession) => Promise<Subject>> = {
  'in the process of the autopilot': async (session) => ({
    service: session.service,
    close: async () => undefined,
  }),
  'over the control socket': async (session) => {
    const client = await connectControl({ path: session.files.control });
    if (client === null) throw new Error('Nobody listens.');
    return { service: client, close: () => client.close() };
  },
};

describe.each(Object.entries(SUBJECTS))('the autopilot service, %s', (_name, subjectOf) => {
  let world: AutopilotWorld;
  let session: AutopilotSession;
  let service: AutopilotService;
  let close: () => Promise<void>;
  beforeEach(async () => {
    world = await openAutopilotWorld();
  });
  const begin = async () => {
    session = await openAutopilot(world.parts(), { intervalMs: 20 });
    await session.start();
    ({ service, close } = await subjectOf(session));
  };
  afterEach(async () => {
    await close();
    await session.stop();
    await world[Symbol.asyncDispose]();
  });

  test('names the process that runs the autopilot', async () => {
    await begin();
    expect(service.processId).toBe(process.pid);
  });

  test('gives a lease, and the model counts as leased until the release', async () => {
    await begin();
    const lease = await service.acquire(ANY);
    expect(lease).toMatchObject({ modelKey: LARGE, instanceIdentifier: `mai/${LARGE}` });
    expect(lease.lost.aborted).toBe(false);
    expect((await service.state()).leased).toEqual([`mai/${LARGE}`]);
    await lease.release();
    await lease.release();
    expect((await service.state()).leased).toEqual([]);
    expect(world.residents()).toEqual([`mai/${LARGE}`]);
  });

  test('where no model meets the requirement, the error carries the decision', async () => {
    await begin();
    await expect(service.acquire(VISION)).rejects.toMatchObject({
      name: 'HostError',
      code: 'NOTHING_FITS',
      message: expect.stringContaining('vision'),
      decisionId: expect.stringMatching(/^[0-9a-z]+-[0-9a-z]+$/),
      selection: {
        rejected: expect.arrayContaining([expect.objectContaining({ modelKey: LARGE })]),
      },
    });
  });

  test('leases and plans a model by its key, and names one that does not exist', async () => {
    await begin();
    const request = { ...ANY, modelKey: SMALL };
    await (await service.acquire(ANY)).release();
    const plan = await service.plan(request);
    expect(plan).toMatchObject({
      resident: null,
      selection: { decision: 'load', chosen: { modelKey: SMALL } },
    });
    const lease = await service.acquire(request);
    expect(lease).toMatchObject({
      modelKey: SMALL,
      tier: 'small',
      capabilities: ['chat'],
      contextLengthTokens: 4096,
      decisionId: expect.stringMatching(/^[0-9a-z]+-[0-9a-z]+$/),
    });
    expect((await service.plan(request)).resident).toMatchObject({
      instanceIdentifier: lease.instanceIdentifier,
    });
    expect([...world.residents()].sort()).toEqual([`mai/${LARGE}`, `mai/${SMALL}`]);
    await lease.release();
    for (const unknown of [
      { ...ANY, modelKey: 'test/none' },
      { ...ANY, instanceIdentifier: 'mai/none' },
    ]) {
      await expect(service.acquire(unknown)).rejects.toMatchObject({
        name: 'HostError',
        code: 'MODEL_NOT_FOUND',
      });
    }
    await expect(service.acquire({ ...ANY, chain: 'none' })).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
    });
  });

  test('leases an instance that has failed only once LM Studio has listed it again', async () => {
    await begin();
    const first = await service.acquire(ANY);
    const failed = [first.instanceIdentifier];
    const again = await service.acquire({ ...ANY, failed });
    expect(again.instanceIdentifier).toBe(first.instanceIdentifier);
    await first.release();
    await again.release();
  });

  test('an acquire whose signal fires rejects with the reason and leaves no lease', async () => {
    world.simulator.fault.stallLoad();
    await begin();
    const controller = new AbortController();
    const acquiring = service.acquire(ANY, { signal: controller.signal });
    while ((await service.state()).waiting === 0) await sleep(5);
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(acquiring).rejects.toBe(reason);
    await expect(service.acquire(ANY, { signal: controller.signal })).rejects.toBe(reason);
    while ((await service.state()).waiting > 0) await sleep(5);
    expect((await service.state()).leased).toEqual([]);
  });

  test('pins and unpins, and reports that the autopilot has read the change', async () => {
    await begin();
    const pinned = await service.pin(SMALL);
    expect(pinned.delivery).toEqual({ kind: 'seen', processId: process.pid });
    expect(pinned.journal.pins).toMatchObject([{ target: SMALL, reason: 'pin' }]);
    expect((await service.pin(SMALL)).delivery).toBeNull();
    expect((await service.state()).pins).toMatchObject([{ target: SMALL }]);
    const unpinned = await service.unpin([SMALL]);
    expect(unpinned).toMatchObject({ journal: { pins: [] }, delivery: { kind: 'seen' } });
    expect((await service.unpin([SMALL])).delivery).toBeNull();
  });

  test('keeps memory free until the yield ends', async () => {
    await begin();
    const held = await service.yieldMemory(yieldOf('game'));
    expect(held).toMatchObject({
      journal: { yields: [{ name: 'game' }] },
      delivery: { kind: 'seen', processId: process.pid },
    });
    expect((await service.state()).yields).toMatchObject([{ name: 'game' }]);
    expect(await service.endYield(['game'])).toMatchObject({
      journal: { yields: [] },
      delivery: { kind: 'seen' },
    });
    expect((await service.endYield(['game'])).delivery).toBeNull();
  });

  test('loads by hand with progress, pins the instance, and unpins it at the unload', async () => {
    await begin();
    const progress: number[] = [];
    const loaded = await service.load(byHand, {
      onProgress: (index, ratio) => progress.push(index + ratio),
    });
    expect(loaded).toMatchObject({
      instance: { instanceIdentifier: 'mine', modelKey: SMALL, contextLengthTokens: 2048 },
      index: 0,
      reused: false,
      verified: [],
      failures: [],
      pinError: null,
      delivery: { kind: 'seen', processId: process.pid },
    });
    expect(progress.at(-1)).toBe(1);
    expect((await service.state()).pins).toMatchObject([{ target: 'mine', reason: 'load' }]);
    const unloaded = await service.unload({ instanceIdentifiers: ['mine'], force: false });
    expect(unloaded).toMatchObject({
      unloaded: [{ instanceIdentifier: 'mine' }],
      delivery: { kind: 'seen' },
    });
    expect((await service.state()).pins).toEqual([]);
    expect(world.residents()).not.toContain('mine');
  });

  test('loads the next candidate after a failed load, and reports the error', async () => {
    await begin();
    const lease = await service.acquire(ANY);
    world.simulator.fault.crashLoad({ modelKey: LARGE });
    const [candidate] = byHand.candidates;
    if (candidate === undefined) throw new Error('No candidate.');
    const candidates = [{ ...candidate, modelKey: LARGE }, candidate];
    const loaded = await service.load({ ...byHand, candidates });
    expect(loaded).toMatchObject({
      index: 1,
      failures: [{ modelKey: LARGE, error: { name: 'LMStudioError', code: 'LOAD_FAILED' } }],
    });
    await lease.release();
  });

  test('the error of a load keeps its class, code and facts', async () => {
    await begin();
    const [candidate] = byHand.candidates;
    if (candidate === undefined) throw new Error('No candidate.');
    const unknown = [{ ...candidate, kind: null, modelKey: 'test/smal' }];
    await expect(service.load({ ...byHand, candidates: unknown })).rejects.toMatchObject({
      name: 'LMStudioError',
      code: 'MODEL_NOT_FOUND',
      suggestions: expect.arrayContaining([SMALL]),
    });
  });

  test('a load whose signal fires rejects with the reason and leaves no instance', async () => {
    await begin();
    await (await service.acquire(ANY)).release();
    world.simulator.fault.stallLoad({ modelKey: SMALL, atProgress: 0.5 });
    const controller = new AbortController();
    const reason = new Error('enough');
    const loading = service.load(byHand, {
      signal: controller.signal,
      onProgress: () => controller.abort(reason),
    });
    await expect(loading).rejects.toBe(reason);
    expect(world.residents()).toEqual([`mai/${LARGE}`]);
  });

  test('unloads an instance that is leased or generating only with force', async () => {
    await begin();
    const lease = await service.acquire(ANY);
    const { instanceIdentifier } = lease;
    const request = { instanceIdentifiers: [instanceIdentifier], force: false };
    await expect(service.unload(request)).rejects.toMatchObject({
      name: 'LMStudioError',
      code: 'LOAD_REFUSED',
      message: expect.stringContaining('is leased'),
    });
    await lease.release();
    world.simulator.setBusy(instanceIdentifier, { status: 'generating' });
    await expect(service.unload(request)).rejects.toMatchObject({
      code: 'LOAD_REFUSED',
      message: expect.stringContaining('is generating'),
    });
    const { unloaded } = await service.unload({ ...request, force: true });
    expect(unloaded).toMatchObject([{ instanceIdentifier }]);
  });

  test('an unload of an instance that is not loaded is an error', async () => {
    await begin();
    const request = { instanceIdentifiers: ['nothing'], force: false };
    await expect(service.unload(request)).rejects.toMatchObject({ code: 'INSTANCE_NOT_FOUND' });
  });

  test('where the journal cannot be written, a pin throws, and a load returns the error beside its result', async () => {
    await begin();
    const { writeFile } = await import('node:fs/promises');
    await (await service.acquire(ANY)).release();
    await writeFile(session.files.journal, 'not a journal');
    await expect(service.pin(SMALL)).rejects.toMatchObject({
      name: 'AutopilotError',
      code: 'JOURNAL_UNUSABLE',
      path: session.files.journal,
    });
    expect(await service.load(byHand)).toMatchObject({
      instance: { instanceIdentifier: 'mine' },
      delivery: null,
      pinError: { name: 'AutopilotError', code: 'JOURNAL_UNUSABLE' },
    });
  });

  test('reports events until the autopilot stops', async () => {
    await begin();
    const events: AutopilotEvent[] = [];
    const reading = (async () => {
      for await (const event of service.events()) events.push(event);
    })();
    await (await service.acquire(ANY)).release();
    while (!events.some(({ type }) => type === 'switch-finished')) await sleep(5);
    const decided = events.find(({ type }) => type === 'decided');
    expect(decided).toMatchObject({ selection: { chosen: { modelKey: LARGE } } });
    await session.stop();
    await reading.catch((error: unknown) =>
      expect(error).toMatchObject({ code: 'AUTOPILOT_LOST' }),
    );
  });

  test('ends the events when their signal fires, and when the reader stops', async () => {
    await begin();
    const controller = new AbortController();
    const reason = new Error('enough');
    const events = service.events({ signal: controller.signal })[Symbol.asyncIterator]();
    expect((await events.next()).done).toBe(false);
    const next = (async () => {
      for (;;) if ((await events.next()).done === true) return;
    })();
    controller.abort(reason);
    await expect(next).rejects.toBe(reason);
    for await (const event of service.events()) {
      expect(event.atMs).toBeGreaterThan(0);
      break;
    }
  });

  test('when the autopilot stops, leases end and open calls reject', async () => {
    await begin();
    const lease = await service.acquire(ANY);
    const lost = new Promise((resolve) => {
      lease.lost.addEventListener('abort', () => resolve(lease.lost.reason));
    });
    void lost.then(() => lease.release());
    world.simulator.fault.stallLoad();
    const loading = expect(service.load(byHand)).rejects.toMatchObject({ code: 'AUTOPILOT_LOST' });
    await world.simulator.seen('loadModel');
    await session.stop();
    expect(await lost).toMatchObject({ name: 'HostError', code: 'AUTOPILOT_LOST' });
    await loading;
    await expect(service.acquire(ANY)).rejects.toMatchObject({ code: 'AUTOPILOT_LOST' });
    expect(world.residents()).toEqual([]);
  });

  test('rejects a waiting acquire when the autopilot stops', async () => {
    world.simulator.fault.stallLoad();
    await begin();
    const waiting = expect(service.acquire(ANY)).rejects.toMatchObject({ code: 'AUTOPILOT_LOST' });
    while ((await service.state()).waiting === 0) await sleep(5);
    await session.stop();
    await waiting;
    expect(world.residents()).toEqual([]);
  });
});

test('a client that disconnects releases its leases', async () => {
  const world = await openAutopilotWorld();
  const session = await openAutopilot(world.parts(), { intervalMs: 20 });
  await session.start();
  const client = await connectControl({ path: session.files.control });
  if (client === null) throw new Error('Nobody listens.');
  const { service } = session;
  await client.acquire(ANY);
  expect((await service.state()).leased).toHaveLength(1);
  await client.close();
  while ((await service.state()).leased.length > 0) await sleep(5);
  await session.stop();
  await world[Symbol.asyncDispose]();
});
