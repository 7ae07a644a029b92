import { snapshotWith } from '../../test/snapshot-with.js';
import { createSettleDetector } from './settle-detector.js';

const GIB = 1024 ** 3;
/** Epoch milliseconds of the samples' zero. */
const EPOCH_MS = 1_700_000_000_000;

/** Samples every 250 ms of a GPU that is read every `paceMs`; what is moving after each. */
function settle(options: {
  readonly paceMs: number;
  readonly forMs: number;
  /** Null: the reader has no figures then. */
  readonly vramGib: (readAtMs: number) => number | null;
}): string[] {
  const detector = createSettleDetector(0);
  const moving: string[] = [];
  for (let atMs = 0; atMs <= options.forMs; atMs += 250) {
    const readAtMs = Math.floor(atMs / options.paceMs) * options.paceMs;
    const gib = options.vramGib(readAtMs);
    // As the sampler rounds it: up to a millisecond off, another one in each sample.
    const offMs = (atMs / 250) % 2;
    const snapshot = snapshotWith({
      timestampMs: EPOCH_MS + atMs,
      gpus: [
        {
          deviceKey: 'card',
          totalBytes: 24 * GIB,
          availableBytes: gib === null ? null : gib * GIB,
          readAtMs: gib === null ? null : EPOCH_MS + readAtMs - offMs,
        },
      ],
    });
    moving.push(detector.observe(snapshot, atMs).join(' '));
  }
  return moving;
}

const settledAfterMs = (moving: readonly string[]): number | null => {
  const index = moving.indexOf('');
  return index < 0 ? null : index * 250;
};

describe('the settle detector', () => {
  it('waits a second and a half at least, for what drivers free late', () => {
    expect(settledAfterMs(settle({ paceMs: 250, forMs: 4000, vramGib: () => 8 }))).toBe(1500);
  });

  it('counts a reading once that is in several samples', () => {
    // One every 600 ms; VRAM fills up by 1 GiB a second all the while.
    const moving = settle({ paceMs: 600, forMs: 8000, vramGib: (ms) => 20 - ms / 1000 });
    expect(settledAfterMs(moving)).toBeNull();
  });

  it('settles on three readings of a reader that is slow', () => {
    expect(settledAfterMs(settle({ paceMs: 1000, forMs: 8000, vramGib: () => 8 }))).toBe(2000);
  });

  it('takes a pool that was measured, and is not any more, to be moving', () => {
    const moving = settle({
      paceMs: 250,
      forMs: 8000,
      vramGib: (ms) => (ms < 1000 || ms >= 5000 ? 8 : null),
    });
    expect(moving.slice(6, 20)).toEqual(Array<string>(14).fill('gpu:card'));
    expect(settledAfterMs(moving)).toBe(5500);
  });

  it('never waits for a pool that nobody can measure', () => {
    expect(settledAfterMs(settle({ paceMs: 250, forMs: 4000, vramGib: () => null }))).toBe(1500);
  });
});
