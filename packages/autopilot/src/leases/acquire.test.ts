import type { MonitorPort } from '../ports/monitor-port.js';
import type { AcquireResult } from './lease.js';
import { FakeWorld, GIB } from '../../test/fake-world.js';
import { startPilot } from '../../test/pilot.js';
import { CHAT, LARGE, MINUTE, SECOND, SMALL } from '../../test/samples.js';

describe('acquire', () => {
  it('gives a lease on a loaded model, and the lease delays a switch until it is released', async () => {
    const world = new FakeWorld([LARGE, SMALL]);
    const pilot = await startPilot(world);
    await world.clock.advance(2 * MINUTE);
    const { lease } = await pilot.autopilot.acquire(CHAT);
    expect(lease).toMatchObject({ instanceIdentifier: 'mai/large', modelKey: 'large' });
    world.othersBytes = 12 * GIB;
    await world.clock.advance(2 * MINUTE);
    expect(world.residentKeys()).toEqual(['large']);
    lease?.release();
    lease?.release();
    await world.clock.advance(6 * MINUTE);
    expect(world.residentKeys()).toEqual(['small']);
    await pilot.stop();
  });

  it('loads only what is asked for, where the autopilot runs only for its callers', async () => {
    const world = new FakeWorld([LARGE, SMALL]);
    const written: unknown[] = [];
    const decisionLog = {
      write: (record: unknown) => void written.push(record),
      flushed: () => Promise.resolve(),
    };
    const pilot = await startPilot(world, { onlyForCallers: true, decisionLog });
    await world.clock.advance(2 * MINUTE);
    expect(world.residentKeys()).toEqual([]);
    // Nothing was due that somebody wanted, so the log has nothing to explain.
    expect(written).toEqual([]);
    const acquiring = pilot.autopilot.acquire({ ...CHAT, modelKey: 'small' });
    await world.clock.advance(5 * SECOND);
    (await acquiring).lease?.release();
    await world.clock.advance(20 * MINUTE);
    expect(world.residentKeys()).toEqual(['small']);
    // A request for any model asks for the chain, which is kept loaded from then on.
    const any = pilot.autopilot.acquire(CHAT);
    await world.clock.advance(5 * SECOND);
    const { lease } = await any;
    expect(lease?.modelKey).toBe('small');
    lease?.release();
    await world.clock.advance(20 * MINUTE);
    expect(world.residentKeys()).toEqual(['large']);
    await pilot.stop();
  });

  describe('while others have just taken the memory for every model', () => {
    const startWithPeak = async () => {
      const world = new FakeWorld([LARGE, SMALL]);
      const pilot = await startPilot(world, { onlyForCallers: true });
      await world.clock.advance(5 * SECOND);
      world.othersBytes = 31 * GIB;
      await world.clock.advance(2 * SECOND);
      const results: AcquireResult[] = [];
      void pilot.autopilot.acquire(CHAT).then((result) => results.push(result));
      await world.clock.advance(10 * SECOND);
      expect(results).toEqual([]);
      return { world, pilot, results };
    };

    it('a caller waits, and gets a model once they give it back', async () => {
      const { world, pilot, results } = await startWithPeak();
      world.othersBytes = 4 * GIB;
      await world.clock.advance(5 * SECOND);
      expect(results).toMatchObject([{ lease: { modelKey: 'large' }, selection: null }]);
      await pilot.stop();
    });

    it('a caller is answered with the decision after 20 seconds, and later callers at once', async () => {
      const { world, pilot, results } = await startWithPeak();
      await world.clock.advance(7 * SECOND);
      expect(results).toEqual([]);
      await world.clock.advance(3 * SECOND);
      expect(results).toMatchObject([{ lease: null, selection: { decision: 'none' } }]);
      const later = pilot.autopilot.acquire(CHAT);
      await world.clock.advance(SECOND);
      expect(await later).toMatchObject({ lease: null, selection: { decision: 'none' } });
      await pilot.stop();
    });
  });

  it('keeps only the longest of the copies that callers with longer and longer contexts have needed', async () => {
    const world = new FakeWorld([SMALL]);
    const pilot = await startPilot(world);
    await world.clock.advance(2 * MINUTE);
    for (const minContextLengthTokens of [12_000, 16_000, 24_000]) {
      const acquiring = pilot.autopilot.acquire({
        ...CHAT,
        modelKey: 'small',
        minContextLengthTokens,
      });
      await world.clock.advance(10 * SECOND);
      (await acquiring).lease?.release();
    }
    const contexts = (): readonly (number | null)[] =>
      [...world.instances.values()].map(({ contextLengthTokens }) => contextLengthTokens);
    // The longest copy is retained, and serves the chain, too.
    await world.clock.advance(30 * SECOND);
    expect(contexts()).toEqual([24_000]);
    await world.clock.advance(20 * MINUTE);
    expect(contexts()).toEqual([24_000]);
    await pilot.stop();
  });

  it('gives no lease on a model that an emergency drains, and answers once it is unloaded', async () => {
    const world = new FakeWorld([LARGE, SMALL]);
    const pilot = await startPilot(world);
    await world.clock.advance(2 * MINUTE);
    world.setActivity('mai/large', 'generating');
    world.othersBytes = 14 * GIB;
    await world.clock.advance(5 * SECOND);
    expect(pilot.of('emergency').length + pilot.of('switch-started').length).toBeGreaterThan(0);
    const acquiring = pilot.autopilot.acquire(CHAT);
    await world.clock.advance(5 * SECOND);
    expect(pilot.autopilot.state.leased).toEqual([]);
    expect(world.residentKeys()).toEqual(['large']);
    await world.clock.advance(30 * SECOND);
    expect((await acquiring).lease?.modelKey).toBe('small');
    await pilot.stop();
  });

  it('gives no lease on a model of unknown capabilities', async () => {
    const world = new FakeWorld([SMALL]);
    world.models.set('other', { modelKey: 'other', bytes: GIB });
    world.place('other');
    const pilot = await startPilot(world);
    await world.clock.advance(10 * SECOND);
    expect(world.residentKeys()).toEqual(['other', 'small']);
    const { lease } = await pilot.autopilot.acquire(CHAT);
    expect(lease).toMatchObject({ modelKey: 'small' });
    await pilot.stop();
  });

  it('gives a lease on a model that a person loaded if the decision is to keep the model, and does not evict the model', async () => {
    const world = new FakeWorld([LARGE, SMALL]);
    world.place('large', { instanceIdentifier: 'large' });
    const pilot = await startPilot(world);
    const acquiring = pilot.autopilot.acquire(CHAT);
    await world.clock.advance(2 * SECOND);
    const { lease } = await acquiring;
    expect(lease).toMatchObject({ modelKey: 'large', instanceIdentifier: 'large' });
    expect(pilot.autopilot.state.leased).toEqual(['large']);
    lease?.release();
    await pilot.stop();
    expect(world.residentKeys()).toEqual(['large']);
  });

  it('loads a model that meets the requirement, without the dwell', async () => {
    const world = new FakeWorld([SMALL, { modelKey: 'coder', bytes: 5 * GIB }]);
    const [small, coder] = world.chain;
    if (small === undefined || coder === undefined) throw new Error('no chain');
    world.chain = [small, { ...coder, capabilities: ['chat', 'coding'] }];
    const pilot = await startPilot(world);
    await world.clock.advance(5 * SECOND);
    expect(world.residentKeys()).toEqual(['small']);
    const acquiring = pilot.autopilot.acquire({ ...CHAT, capabilities: ['coding'] });
    await world.clock.advance(5 * SECOND);
    const { lease } = await acquiring;
    expect(lease?.modelKey).toBe('coder');
    // The requirement applies as long as the lease is held.
    await world.clock.advance(5 * MINUTE);
    expect(world.residentKeys()).toContain('coder');
    lease?.release();
    await pilot.stop();
  });

  it('gives the decision instead of a lease when no model meets the requirement', async () => {
    const world = new FakeWorld([SMALL]);
    const pilot = await startPilot(world);
    await world.clock.advance(5 * SECOND);
    const acquiring = pilot.autopilot.acquire({ ...CHAT, capabilities: ['vision'] });
    await world.clock.advance(2 * SECOND);
    const { lease, selection } = await acquiring;
    expect(lease).toBeNull();
    expect(selection).toMatchObject({ decision: 'none', chosen: null, plan: { steps: [] } });
    await world.clock.advance(10 * MINUTE);
    expect(world.residentKeys()).toEqual(['small']);
    await pilot.stop();
  });

  it('gets no answer from a decision that was under way before the call', async () => {
    const world = new FakeWorld([SMALL, { modelKey: 'coder', bytes: 5 * GIB }]);
    const [small, coder] = world.chain;
    if (small === undefined || coder === undefined) throw new Error('no chain');
    world.chain = [small, { ...coder, capabilities: ['chat', 'coding'] }];
    let duringRound: (() => void) | null = null;
    const snapshot: MonitorPort['snapshot'] = async () => {
      duringRound?.();
      return world.resources();
    };
    const pilot = await startPilot(world, { monitor: { ...world.ports.monitor, snapshot } });
    await world.clock.advance(5 * SECOND);
    const acquiring = new Promise<AcquireResult>((resolve, reject) => {
      duringRound = () => {
        duringRound = null;
        pilot.autopilot.acquire({ ...CHAT, capabilities: ['coding'] }).then(resolve, reject);
      };
    });
    await world.clock.advance(10 * SECOND);
    expect((await acquiring).lease?.modelKey).toBe('coder');
    await pilot.stop();
  });

  it('is cancelled by its signal and by the stop', async () => {
    const world = new FakeWorld([{ ...LARGE, loadMs: 60 * SECOND }]);
    const pilot = await startPilot(world);
    const controller = new AbortController();
    const reason = new Error('enough');
    const first = pilot.autopilot.acquire(CHAT, { signal: controller.signal });
    const second = pilot.autopilot.acquire(CHAT);
    controller.abort(reason);
    await expect(first).rejects.toBe(reason);
    const rejected = expect(second).rejects.toMatchObject({ name: 'AbortError' });
    await pilot.stop();
    await rejected;
    await expect(pilot.autopilot.acquire(CHAT)).rejects.toMatchObject({ name: 'AbortError' });
  });
});
