import { DEFAULT_SELECTION_POLICY } from '@mai/memory-ledger';
import { model, row } from '../../test/simulation.js';
import { SimulationClock } from '../clock/simulation-clock.js';
import type { TraceRow } from '../trace/trace.js';
import { createSimulatedHost, type SimulatedHost } from './simulated-host.js';

// The limit is 25.6 of 32 GiB.
const MODELS = [model('large', 16, 0.9, 10), model('small', 3, 0.4, 2), model('extra', 9, 0.7, 5)];
const NO_CONDITION = { capabilities: [], minContextLengthTokens: null, tiers: null };

function hostWith(
  clock: SimulationClock,
  trace: readonly TraceRow[],
  events: { push(event: string): unknown } = [],
): SimulatedHost {
  return createSimulatedHost({
    clock,
    trace,
    models: MODELS,
    chain: ['large', 'small'],
    limits: DEFAULT_SELECTION_POLICY,
    seed: 1,
    onResidents: (change) => events.push(change),
    onGone: (instanceIdentifier) => events.push(`${instanceIdentifier} is gone`),
  });
}

const residentsOf = (host: SimulatedHost): string[] =>
  host.residents().map(({ modelKey }) => modelKey);

describe('a machine under a shared clock', () => {
  it('decides about its own memory', async () => {
    const clock = new SimulationClock(() => undefined);
    const roomy = hostWith(clock, [row(0, 6), row(600, 6)]);
    const crowded = hostWith(clock, [row(0, 14), row(600, 14)]);
    await clock.run(0);
    await roomy.autopilot.start();
    await crowded.autopilot.start();
    await clock.run(60_000);
    expect(residentsOf(roomy)).toEqual(['large']);
    expect(residentsOf(crowded)).toEqual(['small']);
    await clock.finish(Promise.all([roomy.autopilot.stop(), crowded.autopilot.stop()]).then());
  });

  it('loads a model of no chain for a request that names it', async () => {
    const clock = new SimulationClock(() => undefined);
    const events: string[] = [];
    const host = hostWith(clock, [row(0, 14), row(600, 14)], events);
    await clock.run(0);
    await host.autopilot.start();
    await clock.run(60_000);
    expect(events).toEqual(['loaded']);
    const acquired = host.autopilot.acquire({ ...NO_CONDITION, modelKey: 'extra' });
    await clock.run(70_000);
    const { lease } = await acquired;
    expect(lease?.modelKey).toBe('extra');
    expect(residentsOf(host)).toContain('extra');
    lease?.release();
    await clock.finish(host.autopilot.stop());
  });

  it.each([
    { modelKey: 'small', idle: false, fit: 'now', why: '6 + 16 + 3 is within 25.6 GiB' },
    { modelKey: 'extra', idle: true, fit: 'after-eviction', why: '6 + 9 is within it' },
    { modelKey: 'extra', idle: false, fit: 'no', why: '6 + 16 + 9 is not' },
    { modelKey: 'unknown', idle: true, fit: 'no', why: 'there is no such model' },
  ])(
    'fits $modelKey $fit, because $why (resident idle: $idle)',
    async ({ modelKey, idle, fit }) => {
      const clock = new SimulationClock(() => undefined);
      const host = hostWith(clock, [row(0, 6), row(600, 6)]);
      await clock.run(0);
      await host.autopilot.start();
      await clock.run(60_000);
      expect(host.fitOf(modelKey, () => idle)).toBe(fit);
      await clock.finish(host.autopilot.stop());
    },
  );

  it('loses its residents when LM Studio goes off', async () => {
    const clock = new SimulationClock(() => undefined);
    const events: string[] = [];
    const off = row(120, 6, { events: [{ type: 'lmStudioDown' }] });
    const host = hostWith(clock, [row(0, 6), off, row(600, 6)], events);
    await clock.run(0);
    await host.autopilot.start();
    await clock.run(60_000);
    const [resident] = host.residents();
    await clock.run(130_000);
    expect(host.down).toBe(true);
    expect(host.residents()).toEqual([]);
    expect(events).toEqual(['loaded', `${resident?.instanceIdentifier} is gone`, 'unloaded']);
    await clock.finish(host.autopilot.stop());
  });
});
