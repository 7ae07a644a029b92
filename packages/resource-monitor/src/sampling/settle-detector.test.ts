import { snapshotWith } from '../../test/snapshot-with.js';
import { createSettleDetector } from './settle-detector.js';

const GIB = 1024 ** 3;
/** Epoch time at monotonic time 0. */
const EPOCH_MS = 1_700_000_000_000;

/**
 * Takes a sample every 250 ms of a GPU that is read every `everyMs`. Returns the moving pools after each
 * sample.
 */
function settle(options: {
  readonly everyMs: number;
  readonly forMs: number;
  /** Null where the reader has no figures. */
  readonly vramGib: (readAtMs: number) => number | null;
}): string[] {
  const detector = createSettleDetector(0);
  const moving: string[] = [];
  for (let atMs = 0; atMs <= options.forMs; atMs += 250) {
    const readAtMs = Math.floor(atMs / options.everyMs) * options.everyMs;
    const gib = options.vramGib(readAtMs);
    // Imitates the rounding of the sampler's times, which are off by up to 1 ms.
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
  it('waits at least 1.5 s, because drivers free memory late', () => {
    expect(settledAfterMs(settle({ everyMs: 250, forMs: 4000, vramGib: () => 8 }))).toBe(1500);
  });

  it('counts a reading once if several samples carry it', () => {
    // One reading every 600 ms, while VRAM use grows by 1 GiB/s.
    const moving = settle({ everyMs: 600, forMs: 8000, vramGib: (ms) => 20 - ms / 1000 });
    expect(settledAfterMs(moving)).toBeNull();
  });

  it('settles after three readings of a slow reader', () => {
    expect(settledAfterMs(settle({ everyMs: 1000, forMs: 8000, vramGib: () => 8 }))).toBe(2000);
  });

  it('counts a pool as moving if it is no longer measured', () => {
    const moving = settle({
      everyMs: 250,
      forMs: 8000,
      vramGib: (ms) => (ms < 1000 || ms >= 5000 ? 8 : null),
    });
    expect(moving.slice(6, 20)).toEqual(Array<string>(14).fill('gpu:card'));
    expect(settledAfterMs(moving)).toBe(5500);
  });

  it('does not wait for a pool that was never measured', () => {
    expect(settledAfterMs(settle({ everyMs: 250, forMs: 4000, vramGib: () => null }))).toBe(1500);
  });
});
