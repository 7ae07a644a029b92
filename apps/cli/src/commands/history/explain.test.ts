import { textWidth } from '@mai/host';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { decisionOf, outcomeOf, writeLog } from '../../../test/decision-log.js';
import { LOAD_CONFIG } from '../../../test/selection-input.js';
import { runMai } from '../../../test/run-mai.js';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'mai explain '));
});
afterEach(() => rm(home, { recursive: true }));

const GIB = 1024 ** 3;
const MINUTE = 60_000;
const now = Date.now();
const mai = (line: string, columns?: number) =>
  runMai([...line.split(' '), '--url', 'http://127.0.0.1:9', '--no-color'], {
    homeFolder: home,
    ...(columns === undefined ? {} : { columns }),
  });
const decisions = async (line: string) =>
  (await mai(`${line} --json`)).json()['decisions'] as Record<string, unknown>[];

/**
 * The log of a day. The large model runs for hours. Then an emergency replaces it by the small model,
 * which stays loaded.
 */
const DAY = [
  decisionOf(1, now - 90 * MINUTE, 4, null),
  outcomeOf(1, now - 90 * MINUTE + 9000, {
    reason: 'NOTHING_RESIDENT',
    loaded: ['acme/large'],
    unloaded: [],
    tookMs: 9000,
    availableBytes: { before: 28 * 1024 ** 3, after: 12 * 1024 ** 3 },
  }),
  decisionOf(12, now - 89 * MINUTE, 4, 'acme/large'),
  decisionOf(72, now - 88 * MINUTE, 5, 'acme/large'),
  decisionOf(4000, now - 20 * MINUTE, 14, 'acme/large'),
  outcomeOf(4000, now - 20 * MINUTE + 2400),
  decisionOf(4003, now - 19 * MINUTE, 14, 'acme/small'),
  decisionOf(4063, now - 18 * MINUTE, 14, 'acme/small'),
];

test('explains the decision at a given time, with its figures', async () => {
  await writeLog(home, DAY);
  const { exitCode, out } = await mai('explain 19m30s ago', 80);
  expect(exitCode).toBe(0);
  // 14 + 16 of 32 GiB is 93.75 %, and the large model may take 25.6 - 14 GiB.
  expect(out.replace(/\n {13}/g, ' ')).toMatch(
    /^[-\d: ]+, 20 min ago: stepped down to acme\/small\.\n {2}Memory {5}RAM 94 % in use \(30\.0 of 32\.0 GiB\), over its hard limit of 92 %: other programs 14\.0 GiB, models 16\.0 GiB\.\n {2}Timing {5}at once: memory was over its hard limit\.\n {2}Choice {5}acme\/small \(small, 8,192 tokens of context\) takes 4\.0 GiB; RAM then at 56 %, 14\.0 GiB free\.\n {2}Rejected {3}acme\/large: needs 4\.4 GiB more RAM \(takes 16\.0 GiB, allowed 11\.6 GiB\)\.\n {2}Done {7}unloaded acme\/large, loaded acme\/small in 2\.4 s\.\n {2}RAM {8}1\.0 GiB available before, 13\.0 GiB after\.\n {2}In force {3}until [-\d: ]+ \(1 min\)\.\n$/,
  );
});

test('tells memory that yields keep free apart from that of other programs', async () => {
  const { selection, ...rest } = decisionOf(4000, now - MINUTE, 14, 'acme/large');
  const pools = selection.pools.map((pool) => ({ ...pool, yieldedBytes: 10 * 1024 ** 3 }));
  const record = { ...rest, selection: { ...selection, pools } };
  await writeLog(home, [record]);
  const out = (await mai('explain', 80)).out.replace(/\n {13}/g, ' ');
  expect(out).toContain('RAM 94 % in use or kept free (30.0 of 32.0 GiB)');
  expect(out).toContain('other programs 4.0 GiB, kept free by yields 10.0 GiB, models 16.0 GiB.');
  expect(out).toContain('with what yields keep free, memory was over its hard limit.');
  // Together they may be more than the pool has. What the models take stays true.
  const over = pools.map((pool) => ({ ...pool, othersBytes: 24 * GIB, useBeforeBytes: 40 * GIB }));
  await writeLog(home, [{ ...rest, selection: { ...selection, pools: over } }]);
  expect((await mai('explain', 80)).out.replace(/\n {13}/g, ' ')).toContain(
    '(32.0 of 32.0 GiB), over its hard limit of 92 %: other programs 14.0 GiB, kept free by yields 10.0 GiB, models 16.0 GiB.',
  );
  await writeLog(home, [record, outcomeOf(4000, now, { reason: 'YIELD' })]);
  expect((await mai('explain')).out).toContain('at once: a yield keeps memory free.');
});

test('a switch that a request needed is told as done, although the autopilot itself would have waited', async () => {
  const due = decisionOf(7, now - MINUTE, 4, 'acme/small');
  expect(due.hysteresis.verdict.act).toBe(false);
  await writeLog(home, [due]);
  expect((await mai('explain')).out).toContain('step up to acme/large was due, and not done yet.');
  const switched = { loaded: ['acme/large'], unloaded: ['acme/small'] };
  await writeLog(home, [due, outcomeOf(7, now, { reason: 'REQUESTED', ...switched })]);
  const { out } = await mai('explain');
  expect(out).toContain('stepped up to acme/large.\n');
  expect(out).toContain('at once: a request needed it.\n');
  expect(out).toContain('unloaded acme/small, loaded acme/large in 2.4 s.');
});

test('names the speed and the quality on which the choice depended, beside those of the next model', async () => {
  const range = (expected: number) => ({ expected, low: expected / 2, high: expected * 2 });
  const judgedAs = (decode: number, quality: number, measured: boolean) => ({
    speed: {
      decodeTokensPerSecond: range(decode),
      promptTokensPerSecond: range(1000),
      loadMs: range(4000),
      measured,
    },
    quality,
  });
  const judged = {
    'acme/large': judgedAs(24, 0.71, true),
    'acme/small': judgedAs(80, 0.44, false),
  };
  await writeLog(home, [decisionOf(1, now - MINUTE, 4, null, judged)]);
  const { out } = await mai('explain');
  expect(out.replace(/\n {13}/g, ' ')).toContain(
    'Figures    Quality 0.71, 24 tokens a second, the first token of a prompt of 2,000 tokens after 2.0 s, loaded in about 4.0 s. It comes before acme/small (quality 0.44, about 80 tokens a second).',
  );
});

test.each([
  [3, 'm0, m1, m2: not downloaded.'],
  [4, '4 models of the chain: not downloaded.'],
])('names at most three models that are not downloaded: %i', async (count, text) => {
  const decision = decisionOf(1, now - MINUTE, 4, null);
  const absent = Array.from({ length: count }, (_, index) => ({
    candidateIndex: index,
    modelKey: `m${index}`,
    rejection: { code: 'NOT_DOWNLOADED' as const },
    options: [],
  }));
  await writeLog(home, [{ ...decision, selection: { ...decision.selection, rejected: absent } }]);
  expect((await mai('explain')).out).toContain(`Rejected   ${text}\n`);
});

test('lists the last decisions, oldest first, and joins those with the same content', async () => {
  await writeLog(home, DAY);
  expect((await decisions('explain')).map(({ sequence }) => sequence)).toEqual([1, 12, 4000, 4003]);
  expect(await decisions('explain --last 2')).toMatchObject([
    { sequence: 4000, untilMs: now - 19 * MINUTE, outcome: { outcome: 'switched', tookMs: 2400 } },
    { sequence: 4003, untilMs: null, lastSeenMs: now - 18 * MINUTE, outcome: null },
  ]);
  const { out } = await mai('explain', 80);
  for (const line of out.split('\n')) expect(textWidth(line)).toBeLessThanOrEqual(80);
  expect(out).toContain('kept acme/large');
  expect(out).toContain('the first decision after the autopilot started');
  expect(out).toMatch(/In force +until .* \(1 h 9 min\)\.\n/);
  expect(out).toMatch(/In force +at least until .* \(1 min\), the end of the log\.\n$/);
});

test('also reads older log files if the newest has too few decisions', async () => {
  await writeLog(home, DAY.slice(0, 3), 'decisions.jsonl.2');
  await writeLog(home, DAY.slice(3, 5), 'decisions.jsonl.1');
  await writeLog(home, DAY.slice(5));
  expect((await decisions('explain')).map(({ sequence }) => sequence)).toEqual([1, 12, 4000, 4003]);
  expect(await decisions('explain 85m ago')).toMatchObject([{ sequence: 12 }]);
  // This decision begins in the oldest file and continues in the next.
  expect(await decisions('explain 87m ago')).toMatchObject([
    { sequence: 12, atMs: now - 89 * MINUTE },
  ]);
  expect(await decisions('explain --last 1')).toMatchObject([{ sequence: 4003 }]);
});

test('finds a decision by its identifier, also one that repeats the decision before', async () => {
  await writeLog(home, DAY.slice(0, 4), 'decisions.jsonl.1');
  await writeLog(home, DAY.slice(4));
  const all = await decisions('explain');
  expect(await decisions(`explain ${String(all[0]?.['id'])}`)).toMatchObject([
    { sequence: 1, outcome: { tookMs: 9000 } },
  ]);
  const repeated = `${(now - 88 * MINUTE).toString(36)}-${(72).toString(36)}`;
  expect(await decisions(`explain ${repeated}`)).toMatchObject([{ sequence: 72, id: repeated }]);
  expect((await mai('explain mijq3x2k-h')).out).toContain(
    'has no decision with the identifier mijq3x2k-h.',
  );
});

test('equal decisions of two runs are listed separately', async () => {
  await writeLog(home, [
    decisionOf(12, now - 50 * MINUTE, 4, 'acme/large'),
    decisionOf(1, now - 20 * MINUTE, 4, 'acme/large'),
  ]);
  expect(await decisions('explain')).toMatchObject([
    { sequence: 12, untilMs: now - 50 * MINUTE },
    { sequence: 1, untilMs: null },
  ]);
  expect((await mai('explain')).out).toContain('In force   until Mai ended, soon after.');
});

test.each([
  [
    { outcome: 'rolled-back', loaded: [], unloaded: [] } as const,
    'failed, and the previous model was loaded again',
  ],
  [
    { outcome: 'put-off', loaded: [], unloaded: [] } as const,
    'postponed, because the model to unload was busy',
  ],
  [{ outcome: 'interrupted', loaded: [], unloaded: [] } as const, 'cancelled'],
])('says when a switch ended differently: %j', async (more, words) => {
  await writeLog(home, [DAY[4] ?? '', outcomeOf(4000, now, more)]);
  const told = (await mai('explain')).out.replace(/\s+/g, ' ');
  expect(told).toContain(`step down to acme/small: ${words}.`);
  expect(told).toContain('Done nothing was changed, in 2.4 s.');
});

test('shows the message of a failed load', async () => {
  const failure = {
    modelKey: 'acme/small',
    loadConfig: LOAD_CONFIG,
    code: 'LOAD_FAILED',
    message: 'The engine gave up.',
  } as const;
  await writeLog(home, [
    DAY[4] ?? '',
    outcomeOf(4000, now, { outcome: 'failed', loaded: [], unloaded: [], failures: [failure] }),
  ]);
  expect((await mai('explain')).out).toMatch(/Failed +acme\/small: The engine gave up\.\n/);
});

test('says that an older version of mai wrote a record', async () => {
  const [old] = [decisionOf(1, now - 50 * MINUTE, 4, null)].map((record) => ({
    ...record,
    version: 1,
    selection: {
      ...record.selection,
      chosen: {
        ...record.selection.chosen,
        loadOption: { ...record.selection.chosen?.loadOption, price: 'half of the context' },
      },
    },
  }));
  await writeLog(home, [JSON.stringify(old), decisionOf(2, now - 20 * MINUTE, 14, 'acme/large')]);
  expect(await decisions('explain')).toMatchObject([{ recordVersion: 1 }, { recordVersion: 2 }]);
  const { out } = await mai('explain');
  expect(out.match(/Record +an older version of mai wrote this record/g)).toHaveLength(1);
});

test('says that nothing is downloaded instead of that nothing fitted', async () => {
  await writeLog(home, [decisionOf(1, now - MINUTE, 4, null, {}, false)]);
  expect((await mai('explain')).out).toContain('no model of the chain is downloaded.');
  await writeLog(home, [decisionOf(1, now - MINUTE, 30, null)]);
  expect((await mai('explain')).out).toContain('nothing fitted.');
});

test('names the trade-offs of the chosen load option', async () => {
  const record = decisionOf(1, now - 50 * MINUTE, 4, null);
  const { candidates } = record.input;
  const tradeOffs = [{ kind: 'shorter-context', fromTokens: 32_768, toTokens: 8192 }];
  const input = {
    ...record.input,
    candidates: candidates.map(({ loadOptions, ...candidate }) => ({
      ...candidate,
      loadOptions: loadOptions.map((option) => ({ ...option, tradeOffs })),
    })),
  };
  await writeLog(home, [JSON.stringify({ ...record, input })]);
  expect((await mai('explain')).out).toMatch(
    /Trade-off +8,192 tokens of context instead of 32,768\.\n/,
  );
});

test('without a log: one sentence, and exit code 0', async () => {
  const { exitCode, out, err } = await mai('explain');
  expect([exitCode, err]).toEqual([0, '']);
  expect(out).toBe(
    'The log for LM Studio at 127.0.0.1:9 has no decision yet. `mai watch` and `mai serve` write the log. Each runtime has a log of its own: choose another one with --url or --runtime.\n',
  );
  expect(await decisions('explain')).toEqual([]);
  await writeLog(home, DAY);
  const early = await mai('explain 3h ago');
  expect([early.exitCode, early.out]).toEqual([
    0,
    expect.stringMatching(/^The log .* has no decision up to [-\d: ]+\..*\n$/),
  ]);
});

test('names and skips a corrupt line, but not an incomplete last line', async () => {
  const file = await writeLog(home, [DAY[0] ?? '', '{"type":', DAY[2] ?? '']);
  const { appendFile } = await import('node:fs/promises');
  await appendFile(file, '{"type":"deci');
  const { exitCode, out, err } = await mai('explain');
  expect(exitCode).toBe(0);
  expect(out).toContain('kept acme/large');
  expect(err).toBe(`warning: ${file}:2 is left out, because it is not a record of a decision.\n`);
});

test.each(['explain noon', 'explain 2999-01-01T00:00', 'explain 10m before', 'explain --last 0'])(
  'refuses %s with 2',
  async (line) => {
    const { exitCode, out, err } = await mai(line);
    expect([exitCode, out]).toEqual([2, '']);
    expect(err).toMatch(/WHEN must be a past time|--last takes/);
  },
);
