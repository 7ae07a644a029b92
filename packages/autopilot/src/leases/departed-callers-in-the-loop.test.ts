import { FakeWorld, GIB, profile } from '../../test/fake-world.js';
import { startPilot, type Pilot } from '../../test/pilot.js';
import { LARGE, MINUTE, SECOND, SMALL } from '../../test/samples.js';
import type { AutopilotOptions } from '../autopilot-options.js';
import type { LeaseRequest } from '../request/lease-request.js';

const ANY = { capabilities: [], minContextLengthTokens: null, tiers: null };
const CODER: LeaseRequest = { ...ANY, modelKey: 'coder' };
const LOAD_MS = 20 * SECOND;

/** A model in no chain, which takes 20 seconds to load. */
function download(world: FakeWorld, modelKey: string, gib: number): void {
  const model = { modelKey, bytes: gib * GIB, loadMs: LOAD_MS };
  world.models.set(modelKey, model);
  world.others.push(profile(model));
}

/** A caller that may leave. Resolves to the key of its model, or to `left`. */
function ask({ autopilot }: Pilot, request: LeaseRequest) {
  const leave = new AbortController();
  const answer = autopilot
    .acquire(request, { signal: leave.signal })
    .then(({ lease }) => lease?.modelKey ?? null)
    .catch(() => 'left');
  return { answer, leave: () => leave.abort() };
}

async function start(world: FakeWorld, options: Partial<AutopilotOptions> = {}): Promise<Pilot> {
  const pilot = await startPilot(world, options);
  await world.clock.advance(5 * SECOND);
  return pilot;
}

const outcomes = (pilot: Pilot) => pilot.of('switch-finished').map(({ report }) => report.outcome);

describe('a load whose only caller has left', () => {
  it('is cancelled at once, and counts as no failure', async () => {
    const world = new FakeWorld([SMALL]);
    download(world, 'coder', 8);
    const pilot = await start(world);
    const caller = ask(pilot, CODER);
    await world.clock.advance(5 * SECOND);
    expect(world.loading).toBe(1);
    caller.leave();
    await world.clock.advance(0);
    expect(world.loading).toBe(0);
    expect(await caller.answer).toBe('left');
    await world.clock.advance(10 * MINUTE);
    expect(world.log).toEqual(['load small', 'load coder']);
    expect(outcomes(pilot)).toEqual(['switched', 'cancelled']);
    expect(pilot.autopilot.state.failures).toEqual({});
    expect(pilot.of('fault')).toEqual([]);
    const next = ask(pilot, CODER);
    await world.clock.advance(LOAD_MS + 5 * SECOND);
    expect(await next.answer).toBe('coder');
    await pilot.stop();
  });

  it('gives back what was unloaded for it', async () => {
    const world = new FakeWorld([LARGE]);
    download(world, 'coder', 14);
    const pilot = await start(world);
    const caller = ask(pilot, CODER);
    await world.clock.advance(5 * SECOND);
    expect(world.residentKeys()).toEqual([]);
    caller.leave();
    await world.clock.advance(5 * SECOND);
    expect(world.residentKeys()).toEqual(['large']);
    expect(pilot.of('switch-finished').at(-1)?.report).toMatchObject({
      outcome: 'cancelled',
      loaded: [],
      unloaded: [],
      restored: [{ instanceIdentifier: 'mai/large' }],
    });
    expect(world.log).toEqual(['load large', 'unload mai/large', 'load coder', 'load large']);
    await pilot.stop();
  });

  it('gives back a model of no chain, too', async () => {
    const world = new FakeWorld([SMALL]);
    download(world, 'coder', 10);
    download(world, 'writer', 12);
    const pilot = await start(world);
    const first = ask(pilot, CODER);
    await world.clock.advance(LOAD_MS + 5 * SECOND);
    expect(await first.answer).toBe('coder');
    await pilot.autopilot.acquire(CODER).then(({ lease }) => lease?.release());
    const caller = ask(pilot, { ...ANY, modelKey: 'writer' });
    await world.clock.advance(5 * SECOND);
    caller.leave();
    await world.clock.advance(LOAD_MS + 5 * SECOND);
    expect(world.residentKeys()).toEqual(['coder', 'small']);
    await pilot.stop();
  });

  it('does not hold up a caller that asks for it again while the other model is given back', async () => {
    const world = new FakeWorld([{ ...LARGE, loadMs: LOAD_MS }]);
    download(world, 'coder', 14);
    const pilot = await start(world);
    await world.clock.advance(LOAD_MS);
    const caller = ask(pilot, CODER);
    await world.clock.advance(5 * SECOND);
    caller.leave();
    await world.clock.advance(5 * SECOND);
    const again = ask(pilot, CODER);
    await world.clock.advance(LOAD_MS + 5 * SECOND);
    expect(await again.answer).toBe('coder');
    expect(world.log).toEqual([
      'load large',
      'unload mai/large',
      'load coder',
      'load large',
      'load coder',
    ]);
    await pilot.stop();
  });

  it('leaves the machine without a model where its idle time had expired', async () => {
    const world = new FakeWorld([{ ...SMALL, loadMs: LOAD_MS }]);
    const pilot = await start(world, { idle: 'release' });
    await world.clock.advance(LOAD_MS);
    world.instances.clear();
    await world.clock.advance(MINUTE);
    expect(pilot.of('idle')).toHaveLength(1);
    const caller = ask(pilot, ANY);
    await world.clock.advance(5 * SECOND);
    expect(world.loading).toBe(1);
    caller.leave();
    await world.clock.advance(10 * MINUTE);
    expect(world.residentKeys()).toEqual([]);
    expect(world.log).toEqual(['load small', 'load small']);
    const next = ask(pilot, ANY);
    await world.clock.advance(LOAD_MS + 5 * SECOND);
    expect(await next.answer).toBe('small');
    await pilot.stop();
  });
});

describe('a load goes on when a caller leaves', () => {
  it.each<[string, LeaseRequest]>([
    ['for the same model', CODER],
    ['for any model of a chain that has it', { ...ANY, chain: 'code' }],
  ])('while another caller waits %s', async (_name, request) => {
    const world = new FakeWorld([SMALL]);
    download(world, 'coder', 8);
    world.chains.set('code', world.others);
    const pilot = await start(world);
    const leaving = ask(pilot, CODER);
    const staying = ask(pilot, request);
    await world.clock.advance(5 * SECOND);
    leaving.leave();
    await world.clock.advance(LOAD_MS);
    expect(await staying.answer).toBe('coder');
    expect(world.log).toEqual(['load small', 'load coder']);
    await pilot.stop();
  });

  it('where the autopilot loads for itself', async () => {
    const world = new FakeWorld([{ ...LARGE, loadMs: LOAD_MS }]);
    const pilot = await start(world);
    expect(world.loading).toBe(1);
    const caller = ask(pilot, ANY);
    await world.clock.advance(SECOND);
    caller.leave();
    await world.clock.advance(LOAD_MS);
    expect(world.log).toEqual(['load large']);
    expect(world.residentKeys()).toEqual(['large']);
    await pilot.stop();
  });

  it('where the autopilot would begin the same load for itself', async () => {
    const world = new FakeWorld([{ ...LARGE, loadMs: LOAD_MS }]);
    world.down = 'UNREACHABLE';
    const pilot = await start(world);
    const caller = ask(pilot, ANY);
    world.down = null;
    await world.clock.advance(30 * SECOND);
    expect(pilot.of('switch-started').map(({ reason }) => reason)).toEqual(['REQUESTED']);
    caller.leave();
    await world.clock.advance(LOAD_MS);
    expect(world.residentKeys()).toEqual(['large']);
    expect(world.log).toEqual(['load large']);
    await pilot.stop();
  });

  it('after it has completed', async () => {
    const world = new FakeWorld([LARGE]);
    download(world, 'coder', 8);
    world.models.set('large', { ...LARGE, bytes: 4 * GIB });
    const pilot = await start(world);
    const caller = ask(pilot, CODER);
    while (!world.residentKeys().includes('coder')) await world.clock.advance(100);
    caller.leave();
    await world.clock.advance(MINUTE);
    expect(world.residentKeys()).toEqual(['coder', 'large']);
    await pilot.stop();
  });
});

test('a caller that leaves while its model waits for a busy one unloads nothing', async () => {
  const world = new FakeWorld([LARGE]);
  download(world, 'coder', 14);
  const pilot = await start(world);
  world.setActivity('mai/large', 'generating');
  const caller = ask(pilot, CODER);
  await world.clock.advance(2 * SECOND);
  caller.leave();
  world.setActivity('mai/large', 'idle');
  await world.clock.advance(MINUTE);
  expect(world.log).toEqual(['load large']);
  await pilot.stop();
});
