import type { LoadSpeed } from '@mai/memory-ledger';
import { FakeWorld, GIB, profile } from '../../test/fake-world.js';
import { startPilot, type Pilot } from '../../test/pilot.js';
import { CHAT, SECOND } from '../../test/samples.js';
import type { LogRecord } from '../decision-log/decision-record.js';
import { replayDecisions } from '../decision-log/replay-decisions.js';

const CODING = { ...CHAT, capabilities: ['coding'] };
const QUALITY: Readonly<Record<string, number>> = {
  chat: 0.8,
  'coder-large': 0.9,
  'coder-small': 0.6,
};

/** 215 tokens, the usual answer, take 5 s. */
const SPEED: LoadSpeed = {
  decodeTokensPerSecond: { expected: 43, low: 43, high: 43 },
  promptTokensPerSecond: { expected: 400, low: 400, high: 400 },
  loadMs: { expected: 4000, low: 4000, high: 4000 },
  measured: true,
};

/** 19.6 GiB are left for models: `coder-small` fits beside `chat`, `coder-large` does not. */
async function start(): Promise<{ world: FakeWorld; pilot: Pilot; log: LogRecord[] }> {
  const world = new FakeWorld([{ modelKey: 'chat', bytes: 12 * GIB }]);
  for (const [modelKey, gib] of [
    ['coder-large', 14],
    ['coder-small', 4],
  ] as const) {
    const model = { modelKey, bytes: gib * GIB, loadMs: 4000 };
    world.models.set(modelKey, model);
    world.chain.push(profile(model, { capabilities: ['chat', 'coding'] }));
  }
  const { estimator } = world.ports;
  const log: LogRecord[] = [];
  const pilot = await startPilot(world, {
    estimator: {
      estimate: async (question, options) => ({
        ...(await estimator.estimate(question, options)),
        speedNow: () => SPEED,
        qualityFor: () => QUALITY[question.modelKey] ?? null,
      }),
    },
    decisionLog: { write: (record) => log.push(record), flushed: () => Promise.resolve() },
  });
  await world.clock.advance(5 * SECOND);
  return { world, pilot, log };
}

const notesIn = (log: readonly LogRecord[]) =>
  log.flatMap((record) => (record.type === 'decision' ? record.selection.notes : []));

describe('a caller for whom a busy model has to make room', () => {
  it('waits for the better model while the busy one is expected to be idle soon; the log says why and replays', async () => {
    const { world, pilot, log } = await start();
    const chat = await pilot.autopilot.acquire(CHAT);
    const waiting = pilot.autopilot.acquire(CODING);
    await world.clock.advance(6 * SECOND);
    expect(world.residentKeys()).toEqual(['chat']);
    expect((await pilot.autopilot.plan(CODING)).selection.decision).toBe('wait');
    chat.lease?.release();
    await world.clock.advance(10 * SECOND);
    expect((await waiting).lease?.modelKey).toBe('coder-large');
    const [first] = notesIn(log);
    expect(first).toMatchObject({
      code: 'WEIGHED_WAIT',
      outcome: 'wait',
      waitsFor: ['mai/chat'],
      servesMs: 300_000,
      preferred: { modelKey: 'coder-large', value: 0.9, loadMs: 4000 },
      other: { modelKey: 'coder-small', value: 0.6, loadMs: 4000 },
    });
    expect(first?.code === 'WEIGHED_WAIT' && first.waitMs).toBeCloseTo(5000, -2);
    const replayed = await replayDecisions(log.map((record) => JSON.stringify(record)));
    expect(replayed).toMatchObject({ difference: null, unreadable: [] });
    await pilot.stop();
  });

  it('gets the lesser model once the wait has become too long', async () => {
    const { world, pilot, log } = await start();
    await pilot.autopilot.acquire(CHAT);
    const waiting = pilot.autopilot.acquire(CODING);
    await world.clock.advance(70 * SECOND);
    expect(world.residentKeys()).toEqual(['chat', 'coder-small']);
    expect((await waiting).lease?.modelKey).toBe('coder-small');
    expect(notesIn(log)).toContainEqual(
      expect.objectContaining({ code: 'WEIGHED_WAIT', outcome: 'load' }),
    );
    await pilot.stop();
  });

  it('keeps no step down waiting once memory has run out', async () => {
    const { world, pilot } = await start();
    await pilot.autopilot.acquire(CHAT);
    const waiting = pilot.autopilot.acquire(CODING);
    await world.clock.advance(2 * SECOND);
    expect(world.residentKeys()).toEqual(['chat']);
    world.othersBytes = 20 * GIB;
    await world.clock.advance(4 * SECOND);
    expect(world.residentKeys()).toEqual([]);
    await world.clock.advance(6 * SECOND);
    expect((await waiting).lease?.modelKey).toBe('coder-small');
    await pilot.stop();
  });
});
