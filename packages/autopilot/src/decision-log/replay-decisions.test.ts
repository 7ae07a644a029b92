import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { FakeWorld, GIB } from '../../test/fake-world.js';
import { flush } from '../../test/manual-clock.js';
import { startPilot } from '../../test/pilot.js';
import { SECOND } from '../../test/samples.js';
import type { LogRecord } from './decision-record.js';
import { createDecisionLog } from './file-decision-log.js';
import { parseRecord } from './parse-record.js';
import { replayDecisions } from './replay-decisions.js';

async function recordRun(): Promise<string[]> {
  const world = new FakeWorld([
    { modelKey: 'large', bytes: 16 * GIB, kvBytes: 3 * GIB },
    { modelKey: 'small', bytes: 4 * GIB },
  ]);
  const lines: string[] = [];
  const pilot = await startPilot(world, {
    decisionLog: {
      write: (record) => lines.push(JSON.stringify(record)),
      flushed: () => Promise.resolve(),
    },
  });
  await world.clock.advance(120 * SECOND);
  for (let second = 0; second < 60; second += 1) {
    world.othersBytes += 0.17 * GIB;
    await world.clock.advance(SECOND);
  }
  world.othersBytes = 6.123 * GIB;
  await world.clock.advance(900 * SECOND);
  await pilot.stop();
  return lines;
}

describe('replayDecisions', () => {
  it('reproduces every decision of a run with steps down and up', async () => {
    const lines = await recordRun();
    const records = lines.map((line) => JSON.parse(line) as LogRecord);
    const outcomes = records.flatMap((one) => (one.type === 'outcome' ? [one.reason] : []));
    expect(outcomes.length).toBeGreaterThanOrEqual(3);
    const report = await replayDecisions(lines);
    expect(report.difference).toBeNull();
    expect(report.unreadable).toEqual([]);
    expect(report.reproduced).toBe(records.length - outcomes.length);
    expect(report.reproduced).toBeGreaterThan(20);
  });

  it('reports the first decision that differs, and how it differs', async () => {
    const lines = await recordRun();
    const at = lines.findIndex((line, index) => index > 5 && line.includes('"type":"decision"'));
    const record = JSON.parse(lines[at] ?? '') as Extract<LogRecord, { type: 'decision' }>;
    const forged = { ...record, selection: { ...record.selection, headroomBytes: 1 } };
    const changed = lines.with(at, JSON.stringify(forged));
    expect((await replayDecisions(changed)).difference).toMatchObject({
      line: at + 1,
      part: 'selection',
      recorded: { headroomBytes: 1 },
    });
    const { hysteresis } = record;
    const verdict = { ...hysteresis.verdict, act: !hysteresis.verdict.act };
    const other = { ...record, hysteresis: { ...hysteresis, verdict } };
    expect((await replayDecisions(lines.with(at, JSON.stringify(other)))).difference).toMatchObject(
      {
        line: at + 1,
        part: 'verdict',
      },
    );
  });

  it('ends soon after its signal has fired, with the reason of the signal', async () => {
    const controller = new AbortController();
    let read = 0;
    function* endless(): Iterable<string> {
      for (;;) {
        read += 1;
        if (read === 10) setImmediate(() => controller.abort(new Error('enough')));
        yield '';
      }
    }
    const replay = replayDecisions(endless(), { signal: controller.signal });
    await expect(replay).rejects.toThrow('enough');
    expect(read).toBeLessThan(1000);
  });

  it('skips lines that are not records, and lists them', async () => {
    const report = await replayDecisions([
      '',
      '{"type":"decision","version":2}',
      '{"version":3}',
      '{"ty',
    ]);
    expect(report).toEqual({
      reproduced: 0,
      difference: null,
      older: null,
      unreadable: [2, 3, 4],
    });
  });

  it('counts a record that lacks an input of the decision as damaged', async () => {
    const lines = await recordRun();
    const record = JSON.parse(lines[0] ?? '') as Extract<LogRecord, { type: 'decision' }>;
    const damaged = [
      { ...record, selection: null },
      { ...record, input: { ...record.input, candidates: [{}] } },
      { ...record, hysteresis: { ...record.hysteresis, before: {} } },
    ];
    const report = await replayDecisions([...damaged.map((one) => JSON.stringify(one)), ...lines]);
    expect(report.unreadable).toEqual([1, 2, 3]);
    expect(report.difference).toBeNull();
    expect(report.reproduced).toBeGreaterThan(20);
  });
});

/** The fields about speed and quality, which version 3 did not have. */
const SPEED_FIELDS = ['goal', 'minTokensPerSecond', 'expandedFrom', 'cost', 'speed', 'quality'];

function asVersion(version: number, line: string, later: readonly string[]): string {
  const record = JSON.parse(line) as LogRecord;
  return JSON.stringify({ ...record, version }, (key, value: unknown) =>
    later.includes(key) ? undefined : value,
  );
}

describe('records of version 4', () => {
  const asVersion4 = (line: string): string => {
    const record = JSON.parse(line) as LogRecord;
    return JSON.stringify({ ...record, version: 4 }, (key, value: unknown) => {
      if (key !== 'candidates' || !Array.isArray(value)) return value;
      return value.map(({ expandedFrom, ...candidate }: { expandedFrom?: string | null }) => ({
        ...candidate,
        derived: expandedFrom != null,
        derivedFrom: expandedFrom,
      }));
    });
  };

  it('are replayed', async () => {
    const lines = (await recordRun()).map(asVersion4);
    expect(lines.some((line) => line.includes('expandedFrom'))).toBe(false);
    const report = await replayDecisions(lines);
    expect(report).toMatchObject({ difference: null, older: null, unreadable: [] });
    expect(report.reproduced).toBeGreaterThan(20);
  });

  it.each([
    [{ derived: true, derivedFrom: 'downloaded:chat' }, 'downloaded:chat'],
    [{ derived: false, derivedFrom: null }, null],
    // The first records had only one of the fields.
    [{ derived: true }, 'downloaded'],
    [{}, null],
  ])(
    'with the fields %o are read as candidates that were expanded from %s',
    async (fields, expandedFrom) => {
      const [line = ''] = await recordRun();
      const record = JSON.parse(line) as Extract<LogRecord, { type: 'decision' }>;
      const [{ expandedFrom: _, ...candidate } = {}] = record.input.candidates;
      const input = { ...record.input, candidates: [{ ...candidate, ...fields }] };
      const read = parseRecord(JSON.stringify({ ...record, version: 4, input }));
      if (read?.type !== 'decision') throw new Error('no decision');
      expect(read.input.candidates).toEqual([{ ...candidate, expandedFrom }]);
    },
  );

  it('are counted and not replayed where the plan after a drain unloads more than it waits for', async () => {
    const lines = await recordRun();
    const at = lines.findLastIndex((line) => line.includes('"decision":"keep"'));
    const record = JSON.parse(lines[at] ?? '') as Extract<LogRecord, { type: 'decision' }>;
    const unload = { action: 'unload', modelKey: 'x', why: 'make-room' };
    const afterDrain = {
      candidateIndex: 0,
      modelKey: 'large',
      optionIndex: 0,
      waitsFor: ['busy'],
      plan: {
        steps: [
          { ...unload, instanceIdentifier: 'spare' },
          { ...unload, instanceIdentifier: 'busy' },
        ],
        order: 'break-before-make',
      },
    };
    const waiting = { ...record, selection: { ...record.selection, afterDrain } };
    const replay = (version: number) =>
      replayDecisions(lines.with(at, JSON.stringify({ ...waiting, version })));
    const report = await replay(4);
    expect(report.older).toEqual({ version: 4, decisions: 1, firstLine: at + 1 });
    expect(report).toMatchObject({ difference: null, unreadable: [] });
    expect((await replay(5)).difference).toMatchObject({ line: at + 1, part: 'selection' });
  });
});

describe('records of version 3', () => {
  it('are replayed as if speeds and qualities were not known', async () => {
    const lines = (await recordRun()).map((line) => asVersion(3, line, SPEED_FIELDS));
    expect(lines.some((line) => line.includes('minTokensPerSecond'))).toBe(false);
    const report = await replayDecisions(lines);
    expect(report).toMatchObject({ difference: null, older: null, unreadable: [] });
    expect(report.reproduced).toBeGreaterThan(20);
  });
});

describe('records of version 2', () => {
  /** The fields about growth, which version 2 did not have. */
  const LATER_FIELDS = ['growth', 'growthBytes', 'observation', 'observedGrowth', ...SPEED_FIELDS];
  const asVersion2 = (line: string): string => asVersion(2, line, LATER_FIELDS);

  it('are replayed as if no model grew', async () => {
    const lines = (await recordRun()).map(asVersion2);
    expect(lines.some((line) => line.includes('growth'))).toBe(false);
    const report = await replayDecisions(lines);
    expect(report).toMatchObject({ difference: null, older: null, unreadable: [] });
    expect(report.reproduced).toBeGreaterThan(20);
  });

  it('are unreadable where an input of the decision is missing', async () => {
    const [line = ''] = (await recordRun()).map(asVersion2);
    const record = JSON.parse(line) as Extract<LogRecord, { type: 'decision' }>;
    const damaged = { ...record, input: { ...record.input, candidates: [{}] } };
    expect((await replayDecisions([JSON.stringify(damaged)])).unreadable).toEqual([1]);
  });
});

describe('records of version 1', () => {
  /** A record of version 1: it has no limits in bytes, and a margin in the state of the hysteresis. */
  const asVersion1 = (line: string): string => {
    const record = JSON.parse(line) as LogRecord;
    if (record.type === 'outcome') return JSON.stringify({ ...record, version: 1 });
    const { selection, hysteresis } = record;
    const pools = selection.pools.map(
      ({ limitBytes: _limit, hardLimitBytes: _hardLimit, ...pool }) => pool,
    );
    const before = { ...hysteresis.before, useHistory: {}, upgradeMarginRatio: 0.02 };
    return JSON.stringify({
      ...record,
      version: 1,
      selection: { ...selection, pools },
      hysteresis: { ...hysteresis, before },
    });
  };

  it('are counted and not replayed', async () => {
    const lines = await recordRun();
    const decisions = lines.filter((line) => line.includes('"type":"decision"')).length;
    const report = await replayDecisions(['', ...lines.map(asVersion1), ...lines]);
    expect(report.older).toEqual({ version: 1, decisions, firstLine: 2 });
    expect(report).toMatchObject({ reproduced: decisions, difference: null, unreadable: [] });
  });

  it('are read, and their limits in bytes are computed', async () => {
    const [line = ''] = await recordRun();
    const written = JSON.parse(line) as LogRecord;
    const read = parseRecord(asVersion1(line));
    if (written.type !== 'decision' || read?.type !== 'decision') throw new Error('no decision');
    expect(read.version).toBe(1);
    expect(read.selection).toEqual(written.selection);
  });
});

it('counts and does not replay a decision that chose a resident without the required capability', async () => {
  const lines = await recordRun();
  const at = lines.findLastIndex((line) => line.includes('"decision":"keep"'));
  const record = JSON.parse(lines[at] ?? '') as Extract<LogRecord, { type: 'decision' }>;
  const { input, selection } = record;
  const requirement = { ...input.requirement, capabilities: ['vision'] };
  const rejected = input.candidates.map(({ modelKey }, candidateIndex) => ({
    candidateIndex,
    modelKey,
    rejection: { code: 'MISSING_CAPABILITY', missing: ['vision'] },
    options: [],
  }));
  const asOlder = JSON.stringify({
    ...record,
    input: { ...input, requirement },
    selection: { ...selection, rejected },
  });
  const report = await replayDecisions(lines.with(at, asOlder));
  expect(report.older).toEqual({ version: 5, decisions: 1, firstLine: at + 1 });
  expect(report).toMatchObject({ difference: null, unreadable: [] });
});

describe('createDecisionLog', () => {
  const outcome: LogRecord = {
    type: 'outcome',
    version: 2,
    sequence: 1,
    atMs: 0,
    reason: 'EMERGENCY',
    outcome: 'switched',
    tookMs: 1,
    loaded: ['small'],
    unloaded: [],
    failures: [],
    availableBytes: { before: null, after: null },
  };

  it('writes records as lines', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'mai log '));
    try {
      const file = path.join(folder, 'decisions.jsonl');
      const log = createDecisionLog({ file });
      log.write(outcome);
      log.write({ ...outcome, sequence: 2 });
      await log.flushed();
      const lines = (await readFile(file, 'utf8')).trim().split('\n');
      expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
        outcome,
        { ...outcome, sequence: 2 },
      ]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('reports a record that could not be written, and does not throw', async () => {
    const errors: unknown[] = [];
    const log = createDecisionLog({
      file: path.join(__filename, 'not-a-folder', 'x.jsonl'),
      onError: (error) => errors.push(error),
    });
    log.write(outcome);
    await log.flushed();
    await flush();
    expect(errors).toHaveLength(1);
  });
});
