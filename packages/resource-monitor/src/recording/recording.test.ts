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

/** Records samples with the given GiB available, one a second unless said otherwise. */
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

const availableOf = ({ ram }: ResourceSnapshot): number => (ram.availableBytes ?? 0) / GIB;

describe('a recording', () => {
  it('is a monitor that gives each sample in its time, with the time stamps it was recorded with', async () => {
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

  it.each([0, -1, Number.NaN])('is not played at a speed of %d', async (speed) => {
    await expect(openRecording(await record([9, 8]), { speed })).rejects.toThrow(TypeError);
  });

  it('plays faster when asked', async () => {
    const clock = createFakeClock();
    const monitor = await openRecording(await record([9, 8, 7]), { clock, speed: 10 });
    await monitor.snapshot();
    clock.skip(200);
    expect(availableOf(await monitor.snapshot())).toBe(7);
  });

  it('moves on by one sample a call without time', async () => {
    const monitor = await openRecording(await record([9, 8]), { speed: Number.POSITIVE_INFINITY });
    const seen = [await monitor.snapshot(), await monitor.snapshot(), await monitor.snapshot()];
    expect(seen.map(availableOf)).toEqual([9, 8, 8]);
  });

  it('is watched to its end, each sample once, by whoever keeps up', async () => {
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

  it('gives the newest sample to whoever is slow', async () => {
    const clock = createFakeClock();
    const monitor = await openRecording(await record([9, 8, 7, 6]), { clock });
    const samples = monitor.watch();
    const first = samples.next();
    await clock.advance(0);
    expect(availableOf((await first).value as ResourceSnapshot)).toBe(9);
    clock.skip(2500);
    expect(availableOf((await samples.next()).value as ResourceSnapshot)).toBe(7);
  });

  it('has the same trend and judgements as what was recorded', async () => {
    const falling = Array.from({ length: 60 }, (_, second) => 20 - second * 0.1);
    const monitor = await openRecording(await record(falling), { speed: Number.POSITIVE_INFINITY });
    for await (const _ of monitor.watch()) continue;
    expect(monitor.trend()).toMatchObject({ series: 'ram', direction: 'rising' });
    expect(monitor.history({ series: 'ram' })).toHaveLength(60);
    expect(await monitor.isOverloaded({ memoryLimitRatio: 0.5 })).toBe(true);
    expect(
      await monitor.canFit({
        ram: { mappedBytes: 0, anonymousBytes: 100 * GIB },
        gpus: [],
        interval: null,
      }),
    ).toBe(false);
  });

  it('settles when what was recorded did', async () => {
    const clock = createFakeClock();
    const unload = [12, 12, 12, 12, 16, 20, 20, 20, 20, 20, 20];
    const monitor = await openRecording(await record(unload, 250), { clock });
    const settling = monitor.settled();
    await clock.advance(5000);
    const { settled, waitedMs, ram } = await settling;
    // Memory stood still from 1250 ms on, and has been for 750 ms at 2000.
    expect([settled, waitedMs, ram.availableBytes]).toEqual([true, 2000, 20 * GIB]);
  });

  it.each([
    ['three alike of one a second tell', [20, 12, 12, 12], true],
    ['two may be alike by chance', [20, 16, 12, 12], false],
  ])('settles at the pace that was recorded: %s', async (_, available, settled) => {
    const clock = createFakeClock();
    const monitor = await openRecording(await record(available), { clock });
    const settling = monitor.settled({ timeoutMs: 60_000 });
    await clock.advance(5000);
    expect(await settling).toMatchObject({ settled, waitedMs: 3000 });
  });

  it("stops with the signal's own reason, and by being disposed of", async () => {
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

  it('whose process was killed is whole up to its last line', async () => {
    const file = await record([9, 8, 7]);
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.slice(0, -30));
    const monitor = await openRecording(file, { speed: Number.POSITIVE_INFINITY });
    await monitor.snapshot();
    expect(availableOf(await monitor.snapshot())).toBe(8);
    expect(availableOf(await monitor.snapshot())).toBe(8);
  });

  it.each([
    ['{"hello":1}\n', /line 1: this is no recording/],
    ['', /line 1: this is no recording/],
    ['{"format":"mai-resource-recording","version":2}\n', /line 1: its version is 2, not 1/],
    ['{"format":"mai-resource-recording","version":1}\n', /line 1: it holds no sample/],
    [
      '{"format":"mai-resource-recording","version":1}\nrubbish\n{}\n',
      /line 2: this line is no sample/,
    ],
  ])('says what is wrong with %j', async (text, message) => {
    const file = path.join(folder, 'bad.jsonl');
    await writeFile(file, text);
    const error: unknown = await openRecording(file).catch((reason: unknown) => reason);
    expect(isResourceMonitorError(error) && [error.code, error.path]).toEqual([
      'PROBE_FAILED',
      file,
    ]);
    expect((error as Error).message).toMatch(message);
  });

  it.each<[string, object]>([
    ['no memory', { ram: null }],
    ['a total that is none', { ram: { totalBytes: null, availableBytes: 1 } }],
    ['no processors', { cpu: undefined }],
    ['GPUs that are none', { gpus: [null] }],
  ])('is none with a sample of %s', async (_, change) => {
    const file = await record([9, 8]);
    const snapshot = { ...snapshotWith(), ...change };
    await appendFile(file, `${JSON.stringify({ atMs: 60_000, snapshot })}\n`);
    await expect(openRecording(file)).rejects.toThrow('line 4: this line is no sample');
  });

  const onLinux = process.platform === 'linux' ? it : it.skip;

  onLinux('is not begun where there is no room for its first line', async () => {
    await expect(createRecorder('/dev/full')).rejects.toThrow('ENOSPC');
  });

  it('takes the place of an older one, and of nothing else', async () => {
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

  it('that is not there is an error with the cause', async () => {
    await expect(openRecording(path.join(folder, 'none.jsonl'))).rejects.toMatchObject({
      code: 'PROBE_FAILED',
      cause: expect.objectContaining({ code: 'ENOENT' }),
    });
  });
});
