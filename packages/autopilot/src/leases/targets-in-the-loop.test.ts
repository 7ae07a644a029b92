import { codedError, FakeWorld, GIB, profile } from '../../test/fake-world.js';
import { startPilot, type Pilot } from '../../test/pilot.js';
import { CHAT, LARGE, MINUTE, SECOND, SMALL } from '../../test/samples.js';
import { decisionIdOf, parseDecisionId } from '../decision-log/decision-id.js';
import type { LogRecord } from '../decision-log/decision-record.js';
import { replayDecisions } from '../decision-log/replay-decisions.js';
import type { CatalogPort } from '../ports/catalog-port.js';
import type { LeaseRequest } from '../request/lease-request.js';
import type { AcquireResult } from './lease.js';

const ANY = { capabilities: [], minContextLengthTokens: null, tiers: null };
const key = (modelKey: string): LeaseRequest => ({ ...ANY, modelKey });

/** Adds a model that is in no chain. */
function download(world: FakeWorld, modelKey: string, gib: number, capabilities = ['chat']): void {
  const model = { modelKey, bytes: gib * GIB };
  world.models.set(modelKey, model);
  world.others.push(profile(model, { capabilities }));
}

async function acquire(
  world: FakeWorld,
  { autopilot }: Pilot,
  request: LeaseRequest,
): Promise<AcquireResult> {
  return world.clock.drive(autopilot.acquire(request));
}

const loads = (world: FakeWorld) => world.log.filter((line) => line.startsWith('load'));

describe('leases for several targets', () => {
  it('holds a chat model and an embedding model that fit side by side', async () => {
    const world = new FakeWorld([SMALL]);
    download(world, 'embed', 1, ['embedding']);
    const pilot = await startPilot(world);
    await world.clock.advance(5 * SECOND);
    const embedding = pilot.autopilot.acquire({ ...ANY, modelKey: 'embed' });
    const chat = pilot.autopilot.acquire(CHAT);
    await world.clock.advance(5 * SECOND);
    expect((await chat).lease).toMatchObject({ modelKey: 'small', tier: 'medium' });
    expect((await embedding).lease).toMatchObject({
      instanceIdentifier: 'mai/embed',
      capabilities: ['embedding'],
      contextLengthTokens: 8192,
    });
    await world.clock.advance(MINUTE);
    expect(world.residentKeys()).toEqual(['embed', 'small']);
    (await chat).lease?.release();
    (await embedding).lease?.release();
    await world.clock.advance(20 * MINUTE);
    expect(world.residentKeys()).toEqual(['embed', 'small']);
    expect(loads(world)).toEqual(['load small', 'load embed']);
    await pilot.stop();
  });

  it('lets two models that do not fit together take turns only when asked, and never while one is leased', async () => {
    const world = new FakeWorld([LARGE]);
    download(world, 'coder', 14);
    const pilot = await startPilot(world);
    await world.clock.advance(5 * SECOND);
    const coder = await acquire(world, pilot, key('coder'));
    expect(world.residentKeys()).toEqual(['coder']);
    const waiting = pilot.autopilot.acquire(CHAT);
    await world.clock.advance(10 * MINUTE);
    expect(world.residentKeys()).toEqual(['coder']);
    coder.lease?.release();
    await world.clock.advance(5 * SECOND);
    const { lease } = await waiting;
    expect(lease?.modelKey).toBe('large');
    lease?.release();
    // Nobody asks, so the autopilot keeps its own model. One request later, the other is loaded and stays.
    await world.clock.advance(10 * MINUTE);
    expect(world.residentKeys()).toEqual(['large']);
    (await acquire(world, pilot, key('coder'))).lease?.release();
    await world.clock.advance(4 * MINUTE);
    expect(world.residentKeys()).toEqual(['coder']);
    expect(loads(world)).toEqual(['load large', 'load coder', 'load large', 'load coder']);
    await pilot.stop();
  });

  it('gives the memory back to the chain five minutes after the last lease', async () => {
    const world = new FakeWorld([LARGE]);
    download(world, 'coder', 14);
    const pilot = await startPilot(world);
    await world.clock.advance(5 * SECOND);
    (await acquire(world, pilot, key('coder'))).lease?.release();
    await world.clock.advance(4 * MINUTE);
    expect(world.residentKeys()).toEqual(['coder']);
    await world.clock.advance(2 * MINUTE);
    expect(world.residentKeys()).toEqual(['large']);
    await pilot.stop();
  });

  it('unloads a retained model before a model of the chain where others need the memory', async () => {
    const world = new FakeWorld([SMALL]);
    download(world, 'coder', 14);
    const pilot = await startPilot(world);
    await world.clock.advance(5 * SECOND);
    (await acquire(world, pilot, key('coder'))).lease?.release();
    expect(world.residentKeys()).toEqual(['coder', 'small']);
    world.othersBytes = 12 * GIB;
    await world.clock.advance(MINUTE);
    expect(world.residentKeys()).toEqual(['small']);
    await pilot.stop();
  });

  it('does not supersede a model of its chain that was leased a short time ago', async () => {
    const world = new FakeWorld([{ ...LARGE, bytes: 12 * GIB }, SMALL]);
    const pilot = await startPilot(world);
    await world.clock.advance(5 * SECOND);
    (await acquire(world, pilot, key('small'))).lease?.release();
    await world.clock.advance(4 * MINUTE);
    expect(world.residentKeys()).toEqual(['large', 'small']);
    await world.clock.advance(10 * MINUTE);
    expect(world.residentKeys()).toEqual(['large']);
    await pilot.stop();
  });

  it('serves other targets while one waits for a busy model', async () => {
    const world = new FakeWorld([LARGE]);
    download(world, 'coder', 14);
    download(world, 'embed', 1, ['embedding']);
    const pilot = await startPilot(world);
    await world.clock.advance(5 * SECOND);
    world.setActivity('mai/large', 'generating');
    const coder = pilot.autopilot.acquire(key('coder'));
    await world.clock.advance(2 * SECOND);
    expect(pilot.of('switch-step').at(-1)?.step).toMatchObject({
      type: 'draining',
      instanceIdentifier: 'mai/large',
    });
    const { lease } = await acquire(world, pilot, key('embed'));
    expect(lease?.modelKey).toBe('embed');
    expect(world.residentKeys()).toEqual(['embed', 'large']);
    world.setActivity('mai/large', 'idle');
    await world.clock.advance(5 * SECOND);
    expect((await coder).lease?.modelKey).toBe('coder');
    expect(pilot.of('drain-ended')).toMatchObject([{ instanceIdentifiers: ['mai/large'] }]);
    await pilot.stop();
  });

  it('gives no new lease on a model that a waiting caller needs to become idle, for the drain deadline', async () => {
    const world = new FakeWorld([LARGE]);
    download(world, 'coder', 14);
    const pilot = await startPilot(world);
    await world.clock.advance(5 * SECOND);
    const first = await acquire(world, pilot, CHAT);
    const coder = pilot.autopilot.acquire(key('coder'));
    await world.clock.advance(2 * SECOND);
    const second = pilot.autopilot.acquire(CHAT);
    await world.clock.advance(20 * SECOND);
    expect(pilot.autopilot.state.waiting).toBe(2);
    await world.clock.advance(15 * SECOND);
    expect((await second).lease?.modelKey).toBe('large');
    expect(pilot.autopilot.state.waiting).toBe(1);
    first.lease?.release();
    (await second).lease?.release();
    await world.clock.advance(5 * SECOND);
    expect((await coder).lease?.modelKey).toBe('coder');
    await pilot.stop();
  });

  it('ends a drain when its caller gives up', async () => {
    const world = new FakeWorld([LARGE]);
    download(world, 'coder', 14);
    const pilot = await startPilot(world);
    await world.clock.advance(5 * SECOND);
    world.setActivity('mai/large', 'generating');
    const controller = new AbortController();
    const coder = pilot.autopilot.acquire(key('coder'), { signal: controller.signal });
    await world.clock.advance(2 * SECOND);
    controller.abort(new Error('gone'));
    await expect(coder).rejects.toThrow('gone');
    await world.clock.advance(2 * SECOND);
    expect(pilot.of('drain-ended')).toHaveLength(1);
    await expect(acquire(world, pilot, CHAT)).resolves.toMatchObject({
      lease: { modelKey: 'large' },
    });
    await pilot.stop();
  });

  it('answers each of several callers, also those whose requirements no model meets together', async () => {
    const world = new FakeWorld([SMALL]);
    const [small] = world.chain;
    if (small === undefined) throw new Error('no chain');
    const coder = { modelKey: 'coder', bytes: 4 * GIB };
    world.models.set('coder', coder);
    const vision = { modelKey: 'vision', bytes: 4 * GIB };
    world.models.set('vision', vision);
    world.chain = [
      small,
      profile(coder, { capabilities: ['coding'] }),
      profile(vision, { capabilities: ['vision'] }),
    ];
    const pilot = await startPilot(world);
    await world.clock.advance(5 * SECOND);
    const asked = ['coding', 'vision', 'hearing'].map((capability) =>
      pilot.autopilot.acquire({ ...ANY, capabilities: [capability] }),
    );
    await world.clock.advance(10 * SECOND);
    const answers = await Promise.all(asked);
    expect(answers.map(({ lease }) => lease?.modelKey ?? null)).toEqual(['coder', 'vision', null]);
    await pilot.stop();
  });

  it('lets the autopilot step down for memory while a caller waits', async () => {
    const world = new FakeWorld([LARGE, SMALL]);
    download(world, 'huge', 17);
    const pilot = await startPilot(world);
    await world.clock.advance(5 * SECOND);
    const { lease } = await acquire(world, pilot, key('large'));
    const huge = pilot.autopilot.acquire(key('huge')).catch(() => null);
    await world.clock.advance(5 * SECOND);
    world.othersBytes = 14 * GIB;
    await world.clock.advance(40 * SECOND);
    expect(world.residentKeys()).toEqual(['small']);
    lease?.release();
    await pilot.stop();
    await huge;
  });

  it('gives a foreign resident to a caller that names its model or its identifier', async () => {
    const world = new FakeWorld([SMALL]);
    download(world, 'other', 2);
    world.place('other', { instanceIdentifier: 'other:2' });
    const pilot = await startPilot(world);
    await world.clock.advance(5 * SECOND);
    const byKey = await acquire(world, pilot, key('other'));
    expect(byKey.lease?.instanceIdentifier).toBe('other:2');
    const byIdentifier = await acquire(world, pilot, { ...ANY, instanceIdentifier: 'other:2' });
    expect(byIdentifier.lease?.instanceIdentifier).toBe('other:2');
    await pilot.stop();
  });

  it('gives a resident to a caller that names it before the autopilot has listed it', async () => {
    const world = new FakeWorld([SMALL]);
    download(world, 'other', 2);
    const pilot = await startPilot(world);
    await world.clock.advance(5 * SECOND);
    world.place('other', { instanceIdentifier: 'other:2' });
    const { lease } = await acquire(world, pilot, { ...ANY, instanceIdentifier: 'other:2' });
    expect(lease?.modelKey).toBe('other');
    expect(world.residentKeys()).toEqual(['other', 'small']);
    await pilot.stop();
  });

  it('rejects a caller that names an unknown model or an unknown resident', async () => {
    const pilot = await startPilot(new FakeWorld([SMALL]));
    await expect(pilot.autopilot.acquire(key('nothing'))).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
    });
    await pilot.stop();
    const world = new FakeWorld([SMALL]);
    const second = await startPilot(world);
    await world.clock.advance(5 * SECOND);
    await expect(
      acquire(world, second, { ...ANY, instanceIdentifier: 'nothing' }),
    ).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
    await second.stop();
  });

  it('rejects a caller whose model is not offered any more with the reason of the catalog', async () => {
    const world = new FakeWorld([SMALL]);
    download(world, 'other', 2);
    const { catalog } = world.ports;
    let whyEmpty: string | null = null;
    const read: CatalogPort['read'] = async (question) => {
      const reading = await catalog.read(question);
      return whyEmpty === null || question.modelKey !== 'other'
        ? reading
        : { ...reading, chain: [], whyEmpty };
    };
    const pilot = await startPilot(world, { catalog: { read } });
    await world.clock.advance(5 * SECOND);
    (await acquire(world, pilot, key('other'))).lease?.release();
    whyEmpty = 'other is not offered: its file is damaged. Download it again.';
    await world.clock.advance(5 * SECOND);
    // The first request after the change still gets the last reading, and starts a new one.
    (await acquire(world, pilot, key('other'))).lease?.release();
    await expect(acquire(world, pilot, key('other'))).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
      message: whyEmpty,
    });
    await pilot.stop();
  });

  it('gives the decision to a caller whose model is not downloaded', async () => {
    const world = new FakeWorld([SMALL]);
    world.others.push(profile({ modelKey: 'absent', bytes: GIB }, { downloaded: false }));
    const pilot = await startPilot(world);
    await world.clock.advance(5 * SECOND);
    const { lease, selection } = await acquire(world, pilot, key('absent'));
    expect(lease).toBeNull();
    expect(selection?.rejected).toMatchObject([{ rejection: { code: 'NOT_DOWNLOADED' } }]);
    await pilot.stop();
  });

  it('applies the requirement of the autopilot to its own decisions only, and rules to all', async () => {
    const world = new FakeWorld([SMALL]);
    download(world, 'embed', 1, ['embedding']);
    let tiers: readonly 'small'[] | null = null;
    const pilot = await startPilot(world, {
      request: { requirement: CHAT },
      rules: async () => (tiers === null ? [] : [{ ...ANY, tiers }]),
    });
    await world.clock.advance(5 * SECOND);
    expect((await acquire(world, pilot, key('embed'))).lease?.modelKey).toBe('embed');
    tiers = ['small'];
    download(world, 'second', 1, ['embedding']);
    const { selection } = await acquire(world, pilot, key('second'));
    expect(selection?.rejected).toMatchObject([{ rejection: { code: 'OUTSIDE_TIER' } }]);
    await pilot.stop();
  });

  it('leases a resident that has failed only after the runtime has listed it again', async () => {
    const world = new FakeWorld([SMALL]);
    const pilot = await startPilot(world);
    await world.clock.advance(5 * SECOND);
    world.down = 'UNREACHABLE';
    const again = pilot.autopilot.acquire({ ...CHAT, failed: ['mai/small'] });
    await world.clock.advance(2 * SECOND);
    expect(pilot.autopilot.state.waiting).toBe(1);
    world.down = null;
    await world.clock.advance(5 * SECOND);
    expect((await again).lease?.instanceIdentifier).toBe('mai/small');

    world.instances.delete('mai/small');
    const reloaded = pilot.autopilot.acquire({ ...CHAT, failed: ['mai/small'] });
    await world.clock.advance(5 * SECOND);
    expect((await reloaded).lease?.modelKey).toBe('small');
    expect(loads(world)).toHaveLength(2);
    await pilot.stop();
  });

  it('uses another chain only for the callers that name it', async () => {
    const world = new FakeWorld([SMALL]);
    download(world, 'coder', 3);
    world.chains.set('coding', world.others);
    const pilot = await startPilot(world);
    await world.clock.advance(5 * SECOND);
    const { lease } = await acquire(world, pilot, { ...ANY, chain: 'coding' });
    expect(lease?.modelKey).toBe('coder');
    expect((await acquire(world, pilot, ANY)).lease?.modelKey).toBe('small');
    await pilot.stop();
  });

  it('reports an unreadable catalog to the caller and not to the loop', async () => {
    const world = new FakeWorld([SMALL]);
    const { catalog } = world.ports;
    const pilot = await startPilot(world, {
      catalog: {
        read: async (question) => {
          if (question.chain === 'none') throw codedError('INVALID_REQUEST', 'no such chain');
          return catalog.read(question);
        },
      },
    });
    await world.clock.advance(5 * SECOND);
    await expect(pilot.autopilot.acquire({ ...ANY, chain: 'none' })).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
    });
    await world.clock.advance(5 * SECOND);
    expect(pilot.of('fault')).toEqual([]);
    await pilot.stop();
  });
});

describe('the log of decisions for callers', () => {
  it('names their target, gives each lease the identifier of its decision, and is replayed', async () => {
    const world = new FakeWorld([LARGE]);
    download(world, 'coder', 14);
    const records: LogRecord[] = [];
    const decisionLog = {
      write: (record: LogRecord) => records.push(record),
      flushed: async () => undefined,
    };
    const pilot = await startPilot(world, { decisionLog });
    await world.clock.advance(5 * SECOND);
    const chat = await acquire(world, pilot, CHAT);
    chat.lease?.release();
    const { lease } = await acquire(world, pilot, key('coder'));
    lease?.release();
    await world.clock.advance(10 * MINUTE);
    const decisions = records.filter((record) => record.type === 'decision');
    const made = decisions.find((record) => decisionIdOf(record) === lease?.decisionId);
    expect(made).toMatchObject({
      target: { chain: null, modelKey: 'coder', instanceIdentifier: null },
      selection: { chosen: { modelKey: 'coder' } },
      input: { retained: ['mai/large'] },
    });
    const own = decisions.find((record) => decisionIdOf(record) === chat.lease?.decisionId);
    expect(own?.target).toBeUndefined();
    expect(parseDecisionId(lease?.decisionId ?? '')).toEqual({
      atMs: made?.atMs,
      sequence: made?.sequence,
    });
    const lines = records.map((record) => JSON.stringify(record));
    expect(await replayDecisions(lines)).toMatchObject({
      reproduced: decisions.length,
      difference: null,
    });
    await pilot.stop();
  });
});

describe('plan', () => {
  it('says what serves, what would be loaded and what would be unloaded, and changes nothing', async () => {
    const world = new FakeWorld([LARGE]);
    download(world, 'coder', 14);
    download(world, 'huge', 40);
    const pilot = await startPilot(world);
    await world.clock.advance(5 * SECOND);
    const plan = (request: LeaseRequest) => world.clock.drive(pilot.autopilot.plan(request));
    expect((await plan(CHAT)).resident?.instanceIdentifier).toBe('mai/large');
    const coder = await plan(key('coder'));
    expect(coder.resident).toBeNull();
    expect(coder.selection.plan.steps).toMatchObject([
      { action: 'unload', instanceIdentifier: 'mai/large' },
      { action: 'load', modelKey: 'coder' },
    ]);
    expect((await plan(key('huge'))).selection.chosen).toBeNull();
    const { lease } = await acquire(world, pilot, CHAT);
    expect((await plan(key('coder'))).selection).toMatchObject({
      decision: 'wait',
      afterDrain: { waitsFor: ['mai/large'] },
    });
    lease?.release();
    expect(world.residentKeys()).toEqual(['large']);
    await pilot.stop();
  });
});
