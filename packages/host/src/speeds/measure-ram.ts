import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

/** Bytes of all buffers: more than the caches of a desktop CPU hold. */
const TOTAL_BYTES = 256 * 2 ** 20;
/** More threads read no faster: a few cores take all that the memory gives. */
const THREADS_MAX = 8;
const PASSES = 5;
const PASS_MS = 250;
/** Deadline of the whole benchmark, which first fills the buffers. */
const TIMEOUT_MS = 10_000;

/**
 * One thread. It compares two equal buffers again and again, which reads both with the widest instructions of the CPU and writes
 * nothing. It reports the bytes per second of each pass.
 */
const READER = `
const { parentPort, workerData } = require('node:worker_threads');
const a = Buffer.alloc(workerData.bytes / 2, 7);
const b = Buffer.alloc(workerData.bytes / 2, 7);
parentPort.once('message', () => {
  const rates = [];
  for (let pass = 0; pass < workerData.passes; pass += 1) {
    const startedMs = performance.now();
    let bytes = 0;
    let tookMs = 0;
    while (tookMs < workerData.passMs) {
      if (a.compare(b) !== 0) throw new Error('The memory does not keep its content.');
      bytes += a.length + b.length;
      tookMs = performance.now() - startedMs;
    }
    rates.push(bytes / tookMs * 1000);
  }
  parentPort.postMessage(rates);
});
parentPort.postMessage('ready');
`;

/**
 * Measures how fast the RAM of this machine is read, with several threads at the same time, for less than two seconds beside the
 * preparation. Other work on the machine makes the figure smaller, so the fastest of several passes counts.
 *
 * @returns bytes per second
 * @throws the signal's reason; an error where a thread fails or the benchmark takes longer than ten seconds
 */
export async function measureRamBandwidth(signal: AbortSignal): Promise<number> {
  signal.throwIfAborted();
  const threads = Math.min(THREADS_MAX, availableParallelism());
  const bytes = Math.floor(TOTAL_BYTES / threads / 4096) * 4096;
  const workerData = { bytes, passes: PASSES, passMs: PASS_MS };
  const workers = Array.from(
    { length: threads },
    () => new Worker(READER, { eval: true, workerData }),
  );
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  try {
    await Promise.all(workers.map((worker) => nextMessage(worker, bounded)));
    const reports = workers.map((worker) => nextMessage(worker, bounded));
    for (const worker of workers) worker.postMessage('go');
    const rates = (await Promise.all(reports)).map(ratesOf);
    const sums = Array.from({ length: PASSES }, (_, pass) =>
      rates.reduce((sum, of) => sum + (of[pass] ?? 0), 0),
    );
    return Math.max(...sums);
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function nextMessage(worker: Worker, signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      // The caller's own reason, which may be any value.
      reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    worker.once('message', (message: unknown) => {
      signal.removeEventListener('abort', onAbort);
      resolve(message);
    });
    worker.once('error', reject);
  });
}

function ratesOf(message: unknown): readonly number[] {
  if (!Array.isArray(message)) throw new Error('A thread of the benchmark reported no rates.');
  return message.map(Number);
}
