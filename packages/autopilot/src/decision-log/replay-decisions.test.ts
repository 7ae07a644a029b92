import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { FakeWorld, GIB } from '../../test/fake-world.js';
import { flush } from '../../test/manual-clock.js';
import { startPilot } from '../../test/pilot.js';
import { SECOND } from '../../test/samples.js';
import type { LogRecord } from './decision-record.js';
import { createDecisionLog } from './file-decision-log.js';
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
  it('reproduces every decision of a run, steps down and up among them', async () => {
    const lines = await recordRun();
    const records = lines.map((line) => JSON.parse(line) as LogRecord);
    const outcomes = records.flatMap((one) => (one.type === 'outcome' ? [one.reason] : []));
    expect(outcomes.length).toBeGreaterThanOrEqual(3);
    const report = replayDecisions(lines);
    expect(report.difference).toBeNull();
    expect(report.unreadable).toEqual([]);
    expect(report.reproduced).toBe(records.length - outcomes.length);
    expect(report.reproduced).toBeGreaterThan(20);
  });

  it('fails on the first that differs and says in what', async () => {
    const lines = await recordRun();
    const at = lines.findIndex((line, index) => index > 5 && line.includes('"type":"decision"'));
    const record = JSON.parse(lines[at] ?? '') as Extract<LogRecord, { type: 'decision' }>;
    const forged = { ...record, selection: { ...record.selection, headroomBytes: 1 } };
    const changed = lines.with(at, JSON.stringify(forged));
    expect(replayDecisions(changed).difference).toMatchObject({
      line: at + 1,
      part: 'selection',
      recorded: { headroomBytes: 1 },
    });
    const { hysteresis } = record;
    const verdict = { ...hysteresis.verdict, act: !hysteresis.verdict.act };
    const other = { ...record, hysteresis: { ...hysteresis, verdict } };
    expect(replayDecisions(lines.with(at, JSON.stringify(other))).difference).toMatchObject({
      line: at + 1,
      part: 'verdict',
    });
  });

  it('passes over lines that are no records and says which', () => {
    const report = replayDecisions([
      '',
      '{"type":"decision","version":1}',
      '{"version":2}',
      '{"ty',
    ]);
    expect(report).toEqual({ reproduced: 0, difference: null, unreadable: [2, 3, 4] });
  });

  it('takes a record that lacks what a decision is made from for damaged', async () => {
    const lines = await recordRun();
    const record = JSON.parse(lines[0] ?? '') as Extract<LogRecord, { type: 'decision' }>;
    const damaged = [
      { ...record, selection: null },
      { ...record, input: { ...record.input, candidates: [{}] } },
      { ...record, hysteresis: { ...record.hysteresis, before: {} } },
    ];
    const report = replayDecisions([...damaged.map((one) => JSON.stringify(one)), ...lines]);
    expect(report.unreadable).toEqual([1, 2, 3]);
    expect(report.difference).toBeNull();
    expect(report.reproduced).toBeGreaterThan(20);
  });
});

describe('createDecisionLog', () => {
  const outcome: LogRecord = {
    type: 'outcome',
    version: 1,
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

  it('reports what it could not write and throws nothing', async () => {
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
