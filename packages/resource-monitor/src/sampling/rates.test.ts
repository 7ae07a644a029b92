import type { ProcessReading } from '../reading/figures.js';
import type { Counters } from './rates.js';
import { createRates } from './rates.js';

const CORES = 4;

const engine = (cpuMs: number, facts: Partial<ProcessReading> = {}): ProcessReading => ({
  processId: 7,
  name: 'llama-server',
  startedAt: 'boot',
  cpuMs,
  residentBytes: 1024,
  ...facts,
});

/** One moment: the busy time of all cores, and the engine's processes. */
function moment(
  atMs: number,
  busyMs: number,
  processes: readonly ProcessReading[] | null,
): Counters {
  return {
    atMs,
    cpu: { source: '/proc/stat', times: { busyMs, totalMs: atMs * CORES, cores: CORES } },
    swap: null,
    engines: processes === null ? null : { atMs, processes },
  };
}

describe('the load between two moments', () => {
  it('of the engine is separated from that of everything else', () => {
    const ratesOf = createRates();
    ratesOf(moment(1000, 0, [engine(0)]));
    // 3 of 4 cores are busy for 1 s, 2 of them with the engine.
    const rates = ratesOf(moment(2000, 3000, [engine(2000)]));
    expect(rates).toMatchObject({ utilizationRatio: 0.75, enginesRatio: 0.5, othersRatio: 0.25 });
    expect(rates.engines).toMatchObject([{ processId: 7, cpuRatio: 0.5 }]);
  });

  it('of others is never below 0, although the counters are not read at the same moment', () => {
    const ratesOf = createRates();
    ratesOf(moment(1000, 0, [engine(0)]));
    expect(ratesOf(moment(2000, 1900, [engine(2000)])).othersRatio).toBe(0);
  });

  it('of others is unknown if the engine is unknown', () => {
    const ratesOf = createRates();
    ratesOf(moment(1000, 0, null));
    expect(ratesOf(moment(2000, 3000, null))).toMatchObject({
      utilizationRatio: 0.75,
      enginesRatio: null,
      othersRatio: null,
    });
  });

  it('is unknown when the tightest quota changes to another control group', () => {
    const ratesOf = createRates();
    const at = (atMs: number, busyMs: number, of: string): Counters => ({
      ...moment(atMs, busyMs, null),
      cpu: { times: { busyMs, totalMs: null, cores: 2, of }, source: 'cgroup cpu quota' },
    });
    ratesOf(at(1000, 0, '/pod/box'));
    expect(ratesOf(at(2000, 400, '/pod/box')).utilizationRatio).toBe(0.2);
    expect(ratesOf(at(3000, 90_000, '/pod')).utilizationRatio).toBeNull();
    expect(ratesOf(at(4000, 90_400, '/pod')).utilizationRatio).toBe(0.2);
  });

  it('does not include an earlier process with the same id', () => {
    const ratesOf = createRates();
    ratesOf(moment(1000, 0, [engine(100)]));
    const rates = ratesOf(moment(2000, 3000, [engine(900, { startedAt: 'later' })]));
    expect(rates.engines).toMatchObject([{ cpuRatio: null }]);
    expect(rates.othersRatio).toBeNull();
  });

  it('of swapping is in bytes per second, and unknown in the first sample', () => {
    const ratesOf = createRates();
    const swapping = (atMs: number, inBytes: number, outBytes: number): Counters => ({
      ...moment(atMs, 0, []),
      swap: { inBytes, outBytes },
    });
    const first = ratesOf(swapping(1000, 5000, 7000));
    expect([first.swapInBytesPerSecond, first.swapOutBytesPerSecond]).toEqual([null, null]);
    const second = ratesOf(swapping(3000, 5000, 9000));
    expect([second.swapInBytesPerSecond, second.swapOutBytesPerSecond]).toEqual([0, 1000]);
  });
});
