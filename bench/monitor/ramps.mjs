// Recordings of memory that fills at a steady rate, with noise and a few spikes.
import { createRandom } from '../yardstick/random.mjs';

const TOTAL_BYTES = 32 * 1024 ** 3;
const SAMPLES = 300;
const LIMIT_RATIO = 0.9;
const FORMAT = { format: 'mai-resource-recording', version: 1 };

/**
 * A recording of five minutes with one sample a second, and the time from its end until the limit is
 * reached.
 */
export function rampRecording(seed) {
  const random = createRandom(seed);
  const bell = () => Array.from({ length: 12 }, random).reduce((sum, one) => sum + one, -6);
  const startRatio = 0.3 + 0.2 * random();
  const endRatio = startRatio + 0.1 + 0.2 * random();
  const slope = (endRatio - startRatio) / SAMPLES;
  const noise = 0.01 * random();
  const lines = Array.from({ length: SAMPLES + 1 }, (_, second) => {
    const spike = random() < 0.01 ? 0.1 : 0;
    const used = startRatio + slope * second + noise * bell() + spike;
    return JSON.stringify({ atMs: second * 1000, snapshot: snapshot(second * 1000, used) });
  });
  return {
    text: [JSON.stringify(FORMAT), ...lines, ''].join('\n'),
    secondsToLimit: (LIMIT_RATIO - endRatio) / slope,
    limitRatio: LIMIT_RATIO,
  };
}

function snapshot(timestampMs, usedRatio) {
  const availableBytes = Math.round(TOTAL_BYTES * Math.min(1, Math.max(0, 1 - usedRatio)));
  return {
    timestampMs,
    observable: true,
    ram: {
      totalBytes: TOTAL_BYTES,
      availableBytes,
      mappedCountsAsUsed: false,
      limitedBy: 'machine',
      machineTotalBytes: TOTAL_BYTES,
    },
    swap: { totalBytes: 0, freeBytes: 0, inBytesPerSecond: 0, outBytesPerSecond: 0 },
    pressure: { stall: null, level: null, commit: null },
    unified: false,
    gpus: [],
    cpu: {
      cores: 8,
      utilizationRatio: 0.1,
      loadAverages: null,
      enginesRatio: null,
      othersRatio: 0.1,
    },
    engines: [],
    power: { onBattery: null, chargeRatio: null },
    sources: [],
  };
}
