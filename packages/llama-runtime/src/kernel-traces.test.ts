import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

// Traces of other people for `npm run bench:kernel -- --trace FILE.jsonl`. Nothing here starts an engine: a trace that leaves no
// room for the smallest model is rejected before. `kernel-traces.slow.test.ts` runs one.
const BENCH = path.join(__dirname, '../../../bench/embedded/kernel.mjs');
const GIB = 2 ** 30;
/** Use by other programs that leaves no room under a limit of 4 GiB. */
const FULL = '{"tMs": 0, "othersBytes": 0}\n{"tMs": 500, "othersBytes": 4000000000}\n';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'traces-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the bench with a trace of this text. */
function bench(text: string, ...options: readonly string[]) {
  const trace = path.join(folder, 'trace.jsonl');
  writeFileSync(trace, text);
  const args = [BENCH, '--trace', trace, '--limit', '4GiB', ...options];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  return { status, stdout, stderr: stderr.replaceAll(trace, 'trace.jsonl') };
}

test('a trace without room for the smallest model is rejected, with the time and the bytes', () => {
  const { status, stdout } = bench(FULL, '--policy', 'mai');
  expect(status).toBe(0);
  expect(stdout).toMatch(
    /^Rejected: trace\.jsonl: at 0\.5 s others take 3815 MiB, and the smallest model with its programs needs \d+ MiB\.\n$/,
  );
});

test('with --json, only JSON is on stdout', () => {
  const { status, stdout, stderr } = bench(FULL, '--json');
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toEqual({
    schemaVersion: 1,
    limitBytes: 4 * GIB,
    skipped: null,
    results: [],
    rejected: [
      { trace: 'trace.jsonl', seed: null, reason: expect.stringContaining('others take 3815 MiB') },
    ],
  });
  expect(stderr).toContain('Rejected: ');
});

test('a byte order mark, empty lines, other fields and line ends of Windows are accepted', () => {
  const rows = FULL.replaceAll('\n', '\r\n\r\n').replace('}', ', "name": "browser"}');
  expect(bench(`\uFEFF${rows}`).stdout).toContain('at 0.5 s others take 3815 MiB');
});

test.each([
  ['not json', 'line 1: this is not JSON.'],
  ['{"tMs": 0, "othersBytes": 0}\n\n[1]', 'line 3: this is not an object.'],
  ['null', 'line 1: this is not an object.'],
  ['{"othersBytes": 1}', 'line 1: tMs is missing.'],
  ['{"tMs": 1}', 'line 1: othersBytes is missing.'],
  ['{"tMs": "1", "othersBytes": 1}', 'line 1: tMs must be a number of at least 0, not "1".'],
  ['{"tMs": 1, "othersBytes": -1}', 'line 1: othersBytes must be a number of at least 0, not -1.'],
  [
    '{"tMs": 5, "othersBytes": 1}\n{"tMs": 4, "othersBytes": 1}',
    'line 2: tMs 4 comes before 5 of the row above.',
  ],
])('%j: %s', (text, message) => {
  const { status, stdout, stderr } = bench(text, '--json');
  expect(status).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toBe(`trace.jsonl, ${message}\n`);
});

test.each([
  ['\n\n', [], 'trace.jsonl has no rows.'],
  [
    '{"tMs": 0, "othersBytes": 1}',
    [],
    'trace.jsonl has no row with a tMs above 0, at which the run ends.',
  ],
  [FULL, ['--policy', 'best'], 'best is not a policy. Write mai, static, naive or all.'],
  [FULL, ['--limit', 'much'], 'much is not a size. Write 2GiB.'],
  [FULL, ['--limit', '0GiB'], '0GiB is not a size. Write 2GiB.'],
  [FULL, ['--unknown'], "Unknown option '--unknown'"],
])('%j with %j: %s', (text, options, message) => {
  const { status, stderr } = bench(text, ...options);
  expect(status).toBe(2);
  expect(stderr).toContain(message);
});

test('a file that is missing is named', () => {
  const file = path.join(folder, 'missing.jsonl');
  const { status, stderr } = bench(FULL, '--trace', file);
  expect(status).toBe(2);
  expect(stderr).toBe(`${file} cannot be read (ENOENT).\n`);
});
