import type { Clock } from '../../ports/clock.js';
import type { ServedRequest } from '../../server/inference/served-request.js';

/** Counts the requests of the last minute. */
export interface Throughput {
  served(request: ServedRequest): void;
  lastMinute(): {
    readonly requests: number;
    readonly failures: number;
    /** Null where there were requests, and none of their answers counted its tokens. */
    readonly promptTokens: number | null;
    readonly outputTokens: number | null;
    readonly medianFirstByteMs: number | null;
  };
}

const SECONDS = 60;
/** Times to the first byte that are kept for each second. The median needs no more. */
const TIMES_MAX = 50;

interface Bucket {
  readonly second: number;
  requests: number;
  failures: number;
  promptTokens: number | null;
  outputTokens: number | null;
  readonly firstByteMs: number[];
}

/** Creates the counts. */
export function createThroughput(clock: Clock): Throughput {
  let buckets: Bucket[] = [];
  const current = (): Bucket => {
    const second = Math.floor(clock.monotonicMs() / 1000);
    buckets = buckets.filter((one) => second - one.second < SECONDS);
    const last = buckets.at(-1);
    if (last?.second === second) return last;
    const bucket: Bucket = {
      second,
      requests: 0,
      failures: 0,
      promptTokens: null,
      outputTokens: null,
      firstByteMs: [],
    };
    buckets.push(bucket);
    return bucket;
  };
  return {
    served: ({ failure, usage, firstByteMs }) => {
      const bucket = current();
      bucket.requests += 1;
      if (failure !== null) bucket.failures += 1;
      bucket.promptTokens = added(bucket.promptTokens, usage?.promptTokens);
      bucket.outputTokens = added(bucket.outputTokens, usage?.outputTokens);
      if (firstByteMs !== null && bucket.firstByteMs.length < TIMES_MAX) {
        bucket.firstByteMs.push(firstByteMs);
      }
    },
    lastMinute: () => {
      current();
      const sum = (field: 'requests' | 'failures'): number =>
        buckets.reduce((total, bucket) => total + bucket[field], 0);
      const requests = sum('requests');
      const tokens = (field: 'promptTokens' | 'outputTokens'): number | null =>
        buckets.reduce((total, bucket) => added(total, bucket[field]), requests > 0 ? null : 0);
      const times = buckets.flatMap((bucket) => bucket.firstByteMs).sort((a, b) => a - b);
      return {
        requests,
        failures: sum('failures'),
        promptTokens: tokens('promptTokens'),
        outputTokens: tokens('outputTokens'),
        medianFirstByteMs: times[Math.floor(times.length / 2)] ?? null,
      };
    },
  };
}

/** A sum in which unknown counts are left out; null as long as all of them are unknown. */
function added(sum: number | null, count: number | null | undefined): number | null {
  return count == null ? sum : (sum ?? 0) + count;
}
