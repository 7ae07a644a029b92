import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

const POLL_INTERVAL_MS = 250;

/**
 * The worker's source. It is a text, so that it needs no file of its own beside the bundle. On POSIX an orphan gets
 * another parent, so its parent's number changes. On Windows the number stays, so the parent is looked up.
 */
const SOURCE = `
const { parentPort, workerData } = require('node:worker_threads');
const { parent, intervalMs } = workerData;
function isAlive() {
  if (process.platform !== 'win32') return process.ppid === parent;
  try {
    process.kill(parent, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
function check() {
  if (!isAlive()) process.kill(process.pid, 'SIGKILL');
}
setInterval(check, intervalMs);
check();
parentPort.postMessage('watching');
`;

/**
 * Ends this process with SIGKILL within a second after its parent is gone. A thread of its own watches, because the
 * engine blocks the main thread while it loads.
 *
 * @returns when the thread watches
 */
export async function watchParent(): Promise<void> {
  const worker = new Worker(SOURCE, {
    eval: true,
    workerData: { parent: process.ppid, intervalMs: POLL_INTERVAL_MS },
  });
  await once(worker, 'message');
  worker.unref();
}
