import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { childProcesses } from '../src/ports/child-processes.js';
import type { Clock } from '../src/ports/clock.js';
import { systemClock } from '../src/ports/clock.js';
import type { Executor } from '../src/ports/executor.js';

/** Real time, accelerated: minutes of supervision pass in seconds. */
export function createFastClock(speed: number): Clock {
  return {
    nowMs: () => systemClock.nowMs(),
    monotonicMs: () => systemClock.monotonicMs() * speed,
    sleep: (ms, options) => systemClock.sleep(ms / speed, options),
  };
}

export type FakeNvidiaMode =
  | 'fine'
  | 'zero'
  | 'unknown'
  | 'two'
  | 'unknown lines'
  | 'dies'
  | 'hangs'
  | 'falls silent once'
  | 'dies for a while';

/** Runs the fake nvidia-smi as a child process, on any OS. */
export function fakeNvidiaSmi(
  mode: FakeNvidiaMode,
  clock: Clock,
  speed: number,
): { readonly executor: Executor; readonly started: () => number; readonly clean: () => void } {
  const folder = mkdtempSync(path.join(tmpdir(), 'fake nvidia-smi '));
  const script = path.join(__dirname, 'fake-nvidia-smi.mjs');
  const children = childProcesses(clock, process.platform, process.env);
  let started = 0;
  const own = [script, mode, String(speed), path.join(folder, 'was-here')];
  return {
    started: () => started,
    clean: () => rmSync(folder, { recursive: true, force: true }),
    executor: {
      find: (name) => (name === 'nvidia-smi' ? path.join(folder, name) : null),
      run: (_, args, options) => children.run(process.execPath, [...own, ...args], options),
      stream: (_, args, listener) => {
        started += 1;
        return children.stream(process.execPath, [...own, ...args], listener);
      },
    },
  };
}

/** Before the timeout of a test, because questions that go on after it would keep Jest from ending. */
const GIVE_UP_AFTER_MS = 55_000;

/** Repeats a question until the answer is good. @throws Error after 55 s */
export async function eventually<T>(
  ask: () => T | Promise<T>,
  isGood: (answer: T) => boolean,
): Promise<T> {
  const startedMs = performance.now();
  for (;;) {
    const answer = await ask();
    if (isGood(answer)) return answer;
    if (performance.now() - startedMs > GIVE_UP_AFTER_MS) {
      throw new Error(`No good answer. The last one was ${JSON.stringify(answer)}.`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
