import { FakeWorld, GIB, profile } from '../../test/fake-world.js';
import { startPilot, type Pilot } from '../../test/pilot.js';
import { CHAT, MINUTE, SECOND } from '../../test/samples.js';
import type { LogRecord } from '../decision-log/decision-record.js';
import { replayDecisions } from '../decision-log/replay-decisions.js';
import type { LeaseRequest } from '../request/lease-request.js';

/** Half a GiB of the model is KV cache of 8,192 tokens. */
const MODEL = { modelKey: 'chat', bytes: 4 * GIB, kvBytes: 0.5 * GIB };

/** The contexts that a conversation needs one after another, from 8,192 to 65,536 tokens. */
const NEEDS = [1, 2, 4].flatMap((octave) => [8, 10, 12, 14].map((part) => octave * part * 1024));
NEEDS.push(65_536);

const exactly = (minContextLengthTokens: number): LeaseRequest => ({
  ...CHAT,
  minContextLengthTokens,
});
const growing = (minContextLengthTokens: number): LeaseRequest => ({
  ...exactly(minContextLengthTokens),
  preferredContextLengthTokens: 2 * minContextLengthTokens,
});

function createWorld(): FakeWorld {
  const world = new FakeWorld([MODEL]);
  world.chain = [profile(MODEL, { maxContextLengthTokens: 65_536 })];
  return world;
}

async function ask(world: FakeWorld, { autopilot }: Pilot, request: LeaseRequest) {
  const acquiring = autopilot.acquire(request);
  await world.clock.advance(15 * SECOND);
  return (await acquiring).lease;
}

async function converse(
  world: FakeWorld,
  pilot: Pilot,
  requests: readonly LeaseRequest[],
): Promise<void> {
  for (const request of requests) {
    const lease = await ask(world, pilot, request);
    expect(lease?.contextLengthTokens).toBeGreaterThanOrEqual(request.minContextLengthTokens ?? 0);
    lease?.release();
    await world.clock.advance(15 * SECOND);
  }
}

const contextsOf = ({ instances }: FakeWorld) =>
  [...instances.values()].map(({ contextLengthTokens }) => contextLengthTokens);

/** The context of each load, in order. */
const loadsOf = ({ of }: Pilot) =>
  of('switch-step').flatMap(({ step }) =>
    step.type === 'loaded' ? step.loadConfig.contextLengthTokens : [],
  );

describe('a conversation that grows from 8,192 to 65,536 tokens', () => {
  it('makes three loads where each aims at twice the context, and twelve without', async () => {
    const counts: number[] = [];
    for (const ask of [exactly, growing]) {
      const world = createWorld();
      const pilot = await startPilot(world);
      await converse(world, pilot, NEEDS.map(ask));
      const [own, ...loads] = loadsOf(pilot);
      expect(own).toBe(8192);
      counts.push(loads.length);
      if (ask === growing) expect(loads).toEqual([20_480, 49_152, 65_536]);
      await pilot.stop();
    }
    expect(counts).toEqual([12, 3]);
  });

  it('shares its loads with a second conversation', async () => {
    const world = createWorld();
    const pilot = await startPilot(world);
    const both = NEEDS.slice(1).flatMap((tokens, index) => [tokens, NEEDS[index] ?? tokens]);
    await converse(world, pilot, both.map(growing));
    expect(loadsOf(pilot)).toEqual([8192, 20_480, 49_152, 65_536]);
    await pilot.stop();
  });

  it('loads a longer copy beside the one that another conversation uses', async () => {
    const world = createWorld();
    const pilot = await startPilot(world);
    const first = await ask(world, pilot, growing(10_240));
    const second = await ask(world, pilot, growing(24_576));
    expect([first?.contextLengthTokens, second?.contextLengthTokens]).toEqual([20_480, 49_152]);
    expect(world.log.filter((line) => line.startsWith('unload'))).not.toContain(
      `unload ${first?.instanceIdentifier}`,
    );
    first?.release();
    second?.release();
    await pilot.stop();
  });

  it('leaves one copy, also where the shorter one was in use at the load', async () => {
    const world = createWorld();
    const pilot = await startPilot(world);
    const first = await ask(world, pilot, exactly(8192));
    const second = await ask(world, pilot, growing(10_240));
    expect(contextsOf(world)).toEqual([8192, 20_480]);
    first?.release();
    second?.release();
    await world.clock.advance(2 * MINUTE);
    expect(contextsOf(world)).toEqual([20_480]);
    await pilot.stop();
  });

  it('gets the context that it needs where twice as much does not fit, and gives up nothing else', async () => {
    const world = createWorld();
    // The limit is 25.6 GiB, so 6.6 GiB are left for the model. With 49,152 tokens it takes 6.5 GiB, and the margin is 0.2 GiB.
    world.othersBytes = 19 * GIB;
    const pilot = await startPilot(world);
    await converse(world, pilot, NEEDS.filter((tokens) => tokens <= 40_960).map(growing));
    expect(loadsOf(pilot)).toEqual([8192, 20_480, 24_576, 28_672, 32_768, 40_960]);
    for (const { step } of pilot.of('switch-step')) {
      if (step.type === 'loaded') expect(step.loadConfig.kvCacheTypeK).toBeNull();
    }
    await pilot.stop();
  });

  it('keeps the configured context where that is long enough', async () => {
    const world = createWorld();
    world.chain = [profile(MODEL, { contextLengthTokens: 32_768, maxContextLengthTokens: 65_536 })];
    const pilot = await startPilot(world);
    await converse(world, pilot, NEEDS.filter((tokens) => tokens <= 32_768).map(growing));
    await world.clock.advance(20 * MINUTE);
    expect(loadsOf(pilot)).toEqual([32_768]);
    await pilot.stop();
  });

  it('is decided equally in a replay', async () => {
    const world = createWorld();
    const records: LogRecord[] = [];
    const decisionLog = {
      write: (record: LogRecord) => void records.push(record),
      flushed: () => Promise.resolve(),
    };
    const pilot = await startPilot(world, { decisionLog });
    await converse(world, pilot, NEEDS.map(growing));
    await pilot.stop();
    const report = await replayDecisions(records.map((record) => JSON.stringify(record)));
    expect(report).toMatchObject({ difference: null, older: null, unreadable: [] });
    const rooms = records.flatMap((record) =>
      record.type === 'decision'
        ? record.selection.notes.filter(({ code }) => code === 'ROOM_TO_GROW')
        : [],
    );
    expect(rooms).toEqual([
      { code: 'ROOM_TO_GROW', neededTokens: 10_240, offeredTokens: 20_480 },
      { code: 'ROOM_TO_GROW', neededTokens: 24_576, offeredTokens: 49_152 },
      { code: 'ROOM_TO_GROW', neededTokens: 57_344, offeredTokens: 65_536 },
    ]);
  });
});

describe('where a load with twice the context fails', () => {
  it.each([
    ['beside the old copy', 6 * GIB],
    ['after the old copy was unloaded', 18.5 * GIB],
  ])(
    'the model is loaded with the needed context %s, and does not cool down',
    async (_, others) => {
      for (const code of ['LOAD_FAILED', 'LOAD_REFUSED']) {
        const world = createWorld();
        world.othersBytes = others;
        const pilot = await startPilot(world);
        await world.clock.advance(5 * SECOND);
        world.failNextLoad('chat', { kind: 'reject', code });
        const lease = await ask(world, pilot, growing(10_240));
        expect(lease?.contextLengthTokens).toBe(10_240);
        const [report] = pilot
          .of('switch-finished')
          .flatMap((event) => (event.report.failures.length > 0 ? event.report : []));
        expect(report).toMatchObject({
          outcome: 'switched',
          loaded: [{ contextLengthTokens: 10_240 }],
          failures: [{ code, hadRoom: true, loadConfig: { contextLengthTokens: 20_480 } }],
        });
        expect(pilot.autopilot.state.failures).toEqual({});
        lease?.release();
        await pilot.stop();
      }
    },
  );

  it('the next loads of the model have the needed context for a while', async () => {
    const world = createWorld();
    const pilot = await startPilot(world);
    await world.clock.advance(5 * SECOND);
    world.failNextLoad('chat', { kind: 'reject', code: 'LOAD_FAILED' });
    await converse(world, pilot, [growing(10_240), growing(12_288)]);
    expect(loadsOf(pilot)).toEqual([8192, 10_240, 12_288]);
    expect(pilot.of('switch-step').filter(({ step }) => step.type === 'load-failed')).toHaveLength(
      1,
    );
    await world.clock.advance(2 * MINUTE);
    await converse(world, pilot, [growing(14_336)]);
    expect(loadsOf(pilot)).toEqual([8192, 10_240, 12_288, 28_672]);
    await pilot.stop();
  });

  it('a model that fails with the needed context as well cools down', async () => {
    const world = createWorld();
    const pilot = await startPilot(world);
    await world.clock.advance(5 * SECOND);
    world.failNextLoad('chat', { kind: 'reject', code: 'LOAD_FAILED' });
    world.failNextLoad('chat', { kind: 'reject', code: 'LOAD_FAILED' });
    expect(await ask(world, pilot, growing(10_240))).toBeNull();
    expect(pilot.autopilot.state.failures).toMatchObject({ chat: { failures: 1 } });
    await pilot.stop();
  });
});
