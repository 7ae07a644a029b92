import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { decisionOf, outcomeOf, writeLog } from '../../../test/decision-log.js';
import { runMai } from '../../../test/run-mai.js';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'mai replay '));
});
afterEach(() => rm(home, { recursive: true }));

const mai = (...argv: string[]) =>
  runMai([...argv, '--url', 'http://127.0.0.1:9', '--no-color'], { homeFolder: home, cwd: home });
const first = decisionOf(1, 1000, 4, null);
const second = decisionOf(2, 2000, 14, 'acme/large');
const third = decisionOf(3, 3000, 14, 'acme/small');
const SOUND = [first, outcomeOf(1, 1500), second, third];

test('replays a log bit for bit', async () => {
  const log = await writeLog(home, SOUND);
  const { exitCode, out } = await mai('replay', log);
  expect([exitCode, out]).toEqual([0, '3 decisions replayed bit for bit.\n']);
  expect((await mai('replay', log, '--json')).json()).toEqual({
    schemaVersion: 1,
    same: true,
    reproduced: 3,
    difference: null,
    older: [],
    corrupt: [],
    cutOff: [],
  });
});

test('uses the singular for one older decision', async () => {
  const log = await writeLog(home, [{ ...first, version: 1 }]);
  const { out } = await mai('replay', log);
  expect(out).toMatch(
    /^Older: 1 decision from line 1 on was made by an older mai \(version 1 of the\s+log\)/,
  );
});

test('names the decisions of an older mai and replays the others', async () => {
  const log = await writeLog(home, [{ ...first, version: 1 }, { ...second, version: 1 }, third]);
  const { exitCode, out } = await mai('replay', log);
  expect(exitCode).toBe(0);
  expect(out).toMatch(
    /^Older: 2 decisions from line 1 on were made by an older mai \(version 1 of the\s+log\)/,
  );
  expect(out).toContain('1 decision replayed bit for bit.');
  expect((await mai('replay', log, '--json')).json()).toMatchObject({
    same: true,
    reproduced: 1,
    older: [{ file: log, version: 1, decisions: 2, firstLine: 1 }],
  });
});

test('without LOG, replays the log of `mai watch` here, oldest file first', async () => {
  await writeLog(home, [first], 'decisions.jsonl.1');
  await writeLog(home, [second, third]);
  expect((await mai('replay')).out).toBe('3 decisions replayed bit for bit.\n');
});

test('ends with 9 at the first difference and names its place', async () => {
  const forged = {
    ...second,
    selection: { ...second.selection, headroomBytes: 7, decision: 'keep' as const },
  };
  const log = await writeLog(home, [first, forged, { ...third, selection: first.selection }]);
  const { exitCode, out } = await mai('replay', log);
  expect(exitCode).toBe(9);
  expect(out).toMatch(/^Differs: line 2, decision 2 of [-\d: ]+: the selection\s+differs\.\n/);
  expect(out).toContain('  decision\n    recorded  "keep"\n    replayed  "switch"\n');
  // 14 + 4 of 32 GiB are in use, so the headroom is 14 GiB.
  expect(out).toContain(`  headroomBytes\n    recorded  7\n    replayed  ${14 * 1024 ** 3}\n`);
  expect((await mai('replay', log, '--json')).json()).toMatchObject({
    same: false,
    reproduced: 1,
    difference: {
      file: log,
      line: 2,
      sequence: 2,
      part: 'selection',
      fields: [
        { field: 'decision', recorded: 'keep', replayed: 'switch' },
        { field: 'headroomBytes', recorded: 7 },
      ],
    },
  });
});

test('notices a difference of one bit in the input', async () => {
  const [byte, ...others] = [1, 0].map((more) => ({
    ...second,
    input: {
      ...second.input,
      resources: {
        ...second.input.resources,
        ram: {
          ...second.input.resources.ram,
          availableBytes: (second.input.resources.ram.availableBytes ?? 0) + more,
        },
      },
    },
  }));
  const changed = await writeLog(home, [byte ?? '']);
  expect((await mai('replay', changed)).exitCode).toBe(9);
  const same = await writeLog(home, others);
  expect((await mai('replay', same)).exitCode).toBe(0);
});

test('names the verdict where only the verdict differs', async () => {
  const { hysteresis } = third;
  const verdict = { ...hysteresis.verdict, act: !hysteresis.verdict.act };
  const log = await writeLog(home, [{ ...third, hysteresis: { ...hysteresis, verdict } }]);
  const { exitCode, out } = await mai('replay', log);
  expect(exitCode).toBe(9);
  expect(out).toContain('the verdict differs');
  expect(out).toContain('  act\n');
});

test('ends with 9 and names corrupt lines, but replays the others', async () => {
  const log = await writeLog(home, [first, '{"type":"decision"', second, 'x', third]);
  const { exitCode, out } = await mai('replay', log);
  expect(exitCode).toBe(9);
  expect(out).toBe(
    'Corrupt: lines 2, 4 are not records of a decision log.\n3 decisions replayed bit for bit.\n',
  );
  expect((await mai('replay', log, '--json')).json()).toMatchObject({
    same: false,
    reproduced: 3,
    corrupt: [
      { file: log, line: 2 },
      { file: log, line: 4 },
    ],
  });
});

test('a record whose fields are damaged is corrupt, too', async () => {
  const damaged = { ...second, input: { ...second.input, candidates: [{}] } };
  const log = await writeLog(home, [first, JSON.stringify(damaged)]);
  const { exitCode, out } = await mai('replay', log);
  expect(exitCode).toBe(9);
  expect(out).toContain('Corrupt: line 2 is not a record');
});

test('reports an incomplete last line and ends with 0', async () => {
  const log = await writeLog(home, SOUND);
  await appendFile(log, JSON.stringify(first).slice(0, 100));
  const { exitCode, out } = await mai('replay', log);
  expect(exitCode).toBe(0);
  expect(out).toBe('Cut off: line 5 is incomplete.\n3 decisions replayed bit for bit.\n');
});

test('refuses a file that is not a log, with 2', async () => {
  await writeFile(path.join(home, 'notes.txt'), 'buy milk\n');
  await writeFile(path.join(home, 'empty.jsonl'), '');
  for (const [name, message] of [
    ['notes.txt', 'line 1 is not a record of a decision'],
    ['empty.jsonl', 'it is empty'],
    ['nowhere.jsonl', 'There is no file'],
    ['.', 'EISDIR'],
  ] as const) {
    const { exitCode, out, err } = await mai('replay', name);
    expect(err).toContain(message);
    expect([exitCode, out]).toEqual([2, '']);
  }
  expect((await mai('replay')).err).toContain('There is no decision log here yet');
});
