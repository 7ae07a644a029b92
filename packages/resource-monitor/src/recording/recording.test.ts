import { DEFAULT_SELECTION_POLICY } from '@mai/memory-ledger';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createFakeClock } from '../../test/fake-clock.js';
import { snapshotWith } from '../../test/snapshot-with.js';
import { isResourceMonitorError } from '../resource-monitor-error.js';
import type { ResourceSnapshot } from '../snapshot.js';
import { openRecording } from './open-recording.js';
import { createRecorder } from './recorder.js';

const GIB = 1024 ** 3;
let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mai recording '));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Records samples with the given GiB available, one every `everyMs`. */
async function record(available: readonly number[], everyMs = 1000): Promise<string> {
  const file = path.join(folder, 'samples.jsonl');
  const clock = createFakeClock();
  await using recorder = await createRecorder(file, { clock });
  for (const gibibytes of available) {
    const snapshot = snapshotWith({ availableBytes: gibibytes * GIB, timestampMs: clock.nowMs() });
    await recorder.record(snapshot);
    clock.skip(everyMs);
  }
  return file;
}

const sampleOf = ({ value }: IteratorResult<ResourceSnapshot, undefined>): ResourceSnapshot => {
  if (value === undefined) throw new Error('The monitor has ended.');
  return value;
};
const availableOf = ({ ram }: ResourceSnapshot): number => (ram.availableBytes ?? 0) / GIB;

describe('a recording', () => {
  it('returns each sample at its recorded time and with its recorded timestamp', async () => {
    const clock = createFakeClock(0);
    const monitor = await openRecording(await record([9, 8, 7]), { clock });
    expect(availableOf(await monitor.snapshot())).toBe(9);
    clock.skip(999);
    expect(availableOf(await monitor.snapshot())).toBe(9);
    clock.skip(1);
    const second = await monitor.snapshot();
    expect(availableOf(second)).toBe(8);
    expect(second.timestampMs).toBe(1_700_000_001_000);
    clock.skip(60_000);
    expect(availableOf(await monitor.snapshot())).toBe(7);
  });

  it.each([0, -1, Number.NaN])('rejects a speed of %d', async (speed) => {
    await expect(openRecording(await record([9, 8]), { speed })).rejects.toThrow(RangeError);
  });

  it('is replayed ten times faster at a speed of 10', async () => {
    const clock = createFakeClock();
    const monitor = await openRecording(await record([9, 8, 7]), { clock, speed: 10 });
    await monitor.snapshot();
    clock.skip(200);
    expect(availableOf(await monitor.snapshot())).toBe(7);
  });

  it('advances by one sample per call at infinite speed', async () => {
    const monitor = await openRecording(await record([9, 8]), { speed: Number.POSITIVE_INFINITY });
    const seen = [await monitor.snapshot(), await monitor.snapshot(), await monitor.snapshot()];
    expect(seen.map(availableOf)).toEqual([9, 8, 8]);
  });

  it('gives a fast watcher each sample once and then ends', async () => {
    const clock = createFakeClock();
    const monitor = await openRecording(await record([9, 8, 7]), { clock });
    const seen: number[] = [];
    const watching = (async () => {
      for await (const snapshot of monitor.watch()) seen.push(availableOf(snapshot));
    })();
    await clock.advance(5000);
    await watching;
    expect(seen).toEqual([9, 8, 7]);
  });

  it('gives a slow watcher the newest sample', async () => {
    const clock = createFakeClock();
    const monitor = await openRecording(await record([9, 8, 7, 6]), { clock });
    const samples = monitor.watch();
    const first = samples.next();
    await clock.advance(0);
    expect(availableOf(sampleOf(await first))).toBe(9);
    clock.skip(2500);
    expect(availableOf(sampleOf(await samples.next()))).toBe(7);
  });

  it('answers questions about trend, history and limits from its samples', async () => {
    const falling = Array.from({ length: 60 }, (_, second) => 20 - second * 0.1);
    const monitor = await openRecording(await record(falling), { speed: Number.POSITIVE_INFINITY });
    for await (const _ of monitor.watch()) continue;
    expect(monitor.trend()).toMatchObject({ series: 'ram', direction: 'rising' });
    expect(monitor.history({ series: 'ram' })).toHaveLength(60);
    expect(
      await monitor.isOverloaded({
        policy: { ...DEFAULT_SELECTION_POLICY, memoryLimitRatio: 0.5 },
      }),
    ).toBe(true);
    expect(
      await monitor.canFit({
        ram: { mappedBytes: 0, anonymousBytes: 100 * GIB },
        gpus: [],
        interval: null,
        source: 'measured',
        growth: null,
        confidence: 'high',
      }),
    ).toBe(false);
  });

  it('settles at the recorded moment', async () => {
    const clock = createFakeClock();
    const unload = [12, 12, 12, 12, 16, 20, 20, 20, 20, 20, 20];
    const monitor = await openRecording(await record(unload, 250), { clock });
    const settling = monitor.settled();
    await clock.advance(5000);
    const { settled, waitedMs, ram } = await settling;
    // Memory stopped moving at 1250 ms. At 2000 ms it has not moved for 750 ms.
    expect([settled, waitedMs, ram.availableBytes]).toEqual([true, 2000, 20 * GIB]);
  });

  it.each([
    ['three equal readings, one a second, are enough', [20, 12, 12, 12], true],
    ['two equal readings can be a coincidence', [20, 16, 12, 12], false],
  ])('settles according to the recorded times: %s', async (_, available, settled) => {
    const clock = createFakeClock();
    const monitor = await openRecording(await record(available), { clock });
    const settling = monitor.settled({ timeoutMs: 60_000 });
    await clock.advance(5000);
    expect(await settling).toMatchObject({ settled, waitedMs: 3000 });
  });

  it("ends with the signal's reason, or when it is disposed of", async () => {
    const clock = createFakeClock();
    const file = await record([9, 8]);
    const monitor = await openRecording(file, { clock });
    const controller = new AbortController();
    const samples = monitor.watch({ signal: controller.signal });
    await samples.next();
    const pending = samples.next();
    controller.abort(new Error('enough'));
    await expect(pending).rejects.toThrow('enough');
    const others = monitor.watch();
    await others.next();
    const last = others.next();
    await monitor[Symbol.asyncDispose]();
    expect((await last).done).toBe(true);
    expect(clock.sleeping).toBe(0);
  });

  it('is valid up to the last complete line if its process was killed', async () => {
    const file = await record([9, 8, 7]);
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.slice(0, -30));
    const monitor = await openRecording(file, { speed: Number.POSITIVE_INFINITY });
    await monitor.snapshot();
    expect(availableOf(await monitor.snapshot())).toBe(8);
    expect(availableOf(await monitor.snapshot())).toBe(8);
  });

  it.each([
    ['{"hello":1}\n', /line 1: the file is not a recording/],
    ['', /line 1: the file is not a recording/],
    ['{"format":"mai-resource-recording","version":2}\n', /line 1: the version is 2, not 1/],
    ['{"format":"mai-resource-recording","version":1}\n', /line 1: the recording has no sample/],
    [
      '{"format":"mai-resource-recording","version":1}\nnoise\n{}\n',
      /line 2: the line is not a sample/,
    ],
  ])('reports the line and the problem of %j', async (text, message) => {
    const file = path.join(folder, 'bad.jsonl');
    await writeFile(file, text);
    const error: unknown = await openRecording(file).catch((reason: unknown) => reason);
    expect(isResourceMonitorError(error) && [error.code, error.path]).toEqual([
      'PROBE_FAILED',
      file,
    ]);
    expect(String(error)).toMatch(message);
  });

  it.each<[string, object]>([
    ['without memory', { ram: null }],
    ['with a total of null', { ram: { totalBytes: null, availableBytes: 1 } }],
    ['without a CPU', { cpu: undefined }],
    ['with a GPU of null', { gpus: [null] }],
  ])('is rejected for a sample %s', async (_, change) => {
    const file = await record([9, 8]);
    const snapshot = { ...snapshotWith(), ...change };
    await appendFile(file, `${JSON.stringify({ atMs: 60_000, snapshot })}\n`);
    await expect(openRecording(file)).rejects.toThrow('line 4: the line is not a sample');
  });

  const onLinux = process.platform === 'linux' ? it : it.skip;

  onLinux('is not created on a full disk', async () => {
    await expect(createRecorder('/dev/full')).rejects.toThrow('ENOSPC');
  });

  it('replaces an older recording, but no other file', async () => {
    const file = await record([9, 8, 7]);
    expect(await record([6])).toBe(file);
    const monitor = await openRecording(file, { speed: Number.POSITIVE_INFINITY });
    expect([await monitor.snapshot(), await monitor.snapshot()].map(availableOf)).toEqual([6, 6]);
    await writeFile(file, 'My diary.\n');
    await expect(createRecorder(file)).rejects.toMatchObject({ code: 'PROBE_FAILED', path: file });
    expect(await readFile(file, 'utf8')).toBe('My diary.\n');
    await writeFile(file, '');
    expect(await record([5])).toBe(file);
  });

  it('is an error with the cause if the file does not exist', async () => {
    await expect(openRecording(path.join(folder, 'none.jsonl'))).rejects.toMatchObject({
      code: 'PROBE_FAILED',
      cause: expect.objectContaining({ code: 'ENOENT' }),
    });
  });
});
