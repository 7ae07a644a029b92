import {
  GIB,
  LARGE,
  openAutopilotWorld,
  SMALL,
  type AutopilotWorld,
} from '../../test/autopilot-world.js';
import { createHostAutopilot, type HostAutopilot } from '../autopilot/host-autopilot.js';
import type { AutopilotSession } from '../autopilot/open-autopilot.js';
import { createHostServing } from './host-serving.js';
import { NO_REQUEST } from '../control/no-request.js';
import type { Serving, ServingChange } from './serving.js';

jest.setTimeout(60_000);

const ALIASES = { 'claude-*': 'auto:small', mine: SMALL };

let world: AutopilotWorld;
let session: AutopilotSession;
let opened: HostAutopilot[];
beforeEach(async () => {
  world = await openAutopilotWorld({
    fallback_chains: { default: [LARGE], tiny: [SMALL] },
    gateway: { aliases: ALIASES },
  });
  opened = [];
});
afterEach(async () => {
  for (const one of opened.toReversed()) await one[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

/** A host, and what it offers to a gateway. */
function open(): { readonly autopilot: HostAutopilot; readonly serving: Serving } {
  const parts = world.parts();
  const autopilot = createHostAutopilot(parts);
  opened.push(autopilot);
  return { autopilot, serving: createHostServing(parts, autopilot) };
}

const PROCESSES: Record<string, () => Promise<Serving>> = {
  'in the process of the autopilot': async () => {
    const { autopilot, serving } = open();
    session = await autopilot.open({ intervalMs: 20 });
    await session.start();
    return serving;
  },
  'over the control socket': async () => {
    session = await open().autopilot.open({ intervalMs: 20 });
    await session.start();
    return open().serving;
  },
};

describe.each(Object.entries(PROCESSES))('serving, %s', (_name, begin) => {
  test('offers what a gateway needs', async () => {
    const port = await begin();
    expect(Object.keys(port).sort()).toEqual(['acquire', 'catalog', 'changes', 'measured', 'plan']);
  });

  test('lists models, residents, chains and aliases', async () => {
    const serving = await begin();
    await (await serving.acquire(NO_REQUEST)).release();
    const catalog = await serving.catalog();
    expect(catalog).toMatchObject({
      chains: { default: [LARGE], tiny: [SMALL] },
      aliases: [
        { pattern: 'claude-*', target: 'auto:small' },
        { pattern: 'mine', target: SMALL },
      ],
      runtimeVersion: expect.stringMatching(/^\d+\.\d+/),
    });
    expect(catalog.models).toMatchObject([
      {
        modelKey: LARGE,
        kind: 'llm',
        tier: 'large',
        capabilities: ['chat'],
        contextLengthTokens: 4096,
        maxContextLengthTokens: 8192,
        downloaded: true,
        residents: [
          { instanceIdentifier: `mai/${LARGE}`, contextLengthTokens: 4096, foreign: false },
        ],
      },
      { modelKey: SMALL, tier: 'small', residents: [] },
    ]);
    expect(catalog.models[0]?.sizeBytes).toBeGreaterThan(0);
  });

  test('leases a chain, a model and a resident, with their facts', async () => {
    const serving = await begin();
    const chat = await serving.acquire(NO_REQUEST);
    expect(chat).toMatchObject({
      modelKey: LARGE,
      instanceIdentifier: `mai/${LARGE}`,
      tier: 'large',
      capabilities: ['chat'],
      contextLengthTokens: 4096,
      baseUrl: world.simulator.httpUrl,
      requestHeaders: {},
    });
    expect(chat.decisionId).toMatch(/^[0-9a-z]+-[0-9a-z]+$/);
    const small = await serving.acquire({ ...NO_REQUEST, modelKey: SMALL });
    expect(small.modelKey).toBe(SMALL);
    const tiny = await serving.acquire({ ...NO_REQUEST, chain: 'tiny' });
    expect(tiny.instanceIdentifier).toBe(small.instanceIdentifier);
    const named = await serving.acquire({
      ...NO_REQUEST,
      instanceIdentifier: small.instanceIdentifier,
    });
    expect(named.modelKey).toBe(SMALL);
    expect([...world.residents()].sort()).toEqual([`mai/${LARGE}`, `mai/${SMALL}`]);
    for (const lease of [chat, small, tiny, named]) await lease.release();
    expect(session.autopilot.state.leased).toEqual([]);
  });

  test('names what does not exist', async () => {
    const serving = await begin();
    await expect(serving.acquire({ ...NO_REQUEST, modelKey: 'nothing' })).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
    });
    await expect(
      serving.acquire({ ...NO_REQUEST, instanceIdentifier: 'nothing' }),
    ).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
    });
    await expect(serving.acquire({ ...NO_REQUEST, chain: 'nothing' })).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
    });
    await expect(
      serving.acquire({ ...NO_REQUEST, capabilities: ['vision'] }),
    ).rejects.toMatchObject({
      code: 'NOTHING_FITS',
      selection: { rejected: [{ modelKey: LARGE }] },
    });
  });

  test('plans what serves, what is loaded and what is unloaded', async () => {
    const serving = await begin();
    const lease = await serving.acquire(NO_REQUEST);
    expect(await serving.plan(NO_REQUEST)).toMatchObject({
      decision: 'serve',
      modelKey: LARGE,
      unloads: [],
      loadBytes: null,
    });
    const small = await serving.plan({ ...NO_REQUEST, modelKey: SMALL });
    expect(small).toMatchObject({ decision: 'load', modelKey: SMALL, unloads: [] });
    expect(small.loadBytes).toBeGreaterThan(0);
    expect(await serving.plan({ ...NO_REQUEST, capabilities: ['vision'] })).toMatchObject({
      decision: 'none',
      modelKey: null,
    });
    await lease.release();
    world.machine.othersBytes = 16 * GIB;
    while ((session.autopilot.state.decision?.selection.pools[0]?.othersBytes ?? 0) < 15 * GIB) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(await serving.plan({ ...NO_REQUEST, modelKey: SMALL })).toMatchObject({
      decision: 'load',
      modelKey: SMALL,
      unloads: [`mai/${LARGE}`],
    });
    expect(world.residents()).toEqual([`mai/${LARGE}`]);
  });

  test('reports drains, loads and switches', async () => {
    const serving = await begin();
    const lease = await serving.acquire(NO_REQUEST);
    world.machine.othersBytes = 16 * GIB;
    const controller = new AbortController();
    const changes: ServingChange[] = [];
    const reading = (async () => {
      for await (const change of serving.changes({ signal: controller.signal })) {
        changes.push(change);
      }
    })();
    const has = async (wanted: Partial<ServingChange>): Promise<void> => {
      const isWanted = (one: object) =>
        Object.entries(wanted).every(([name, value]) => Reflect.get(one, name) === value);
      while (!changes.some(isWanted)) await new Promise((resolve) => setTimeout(resolve, 10));
    };
    await has({ type: 'catalog' });
    const waiting = serving.acquire({ ...NO_REQUEST, modelKey: SMALL });
    await has({ type: 'draining', instanceIdentifier: `mai/${LARGE}` });
    await lease.release();
    await (await waiting).release();
    await has({ type: 'loading', modelKey: SMALL });
    await has({ type: 'loaded', modelKey: SMALL });
    await has({ type: 'switched' });
    controller.abort();
    await reading;
    expect(world.residents()).toEqual([`mai/${SMALL}`]);
  });

  test('asks LM Studio for nothing while nothing changes', async () => {
    const serving = await begin();
    await (await serving.acquire(NO_REQUEST)).release();
    await serving.catalog();
    const before = world.simulator.requests.length;
    for (let call = 0; call < 200; call += 1) {
      await serving.catalog();
      await (await serving.acquire(NO_REQUEST)).release();
    }
    // The autopilot itself may list the residents meanwhile, and the address is probed now and then.
    expect(world.simulator.requests.length - before).toBeLessThan(20);
  });
});

test('without an autopilot, lists and plans, and acquire starts one', async () => {
  const { serving, autopilot } = open();
  expect((await serving.catalog()).models.map(({ modelKey }) => modelKey)).toEqual([LARGE, SMALL]);
  expect(await serving.plan({ ...NO_REQUEST, modelKey: SMALL })).toMatchObject({
    decision: 'load',
    modelKey: SMALL,
    unloads: [],
  });
  expect(await autopilot.state()).toBeNull();
  const lease = await serving.acquire({ ...NO_REQUEST, modelKey: SMALL });
  expect(lease.modelKey).toBe(SMALL);
  await lease.release();
  const { models } = await serving.catalog();
  expect(models.find(({ modelKey }) => modelKey === SMALL)?.residents).toHaveLength(1);
});
