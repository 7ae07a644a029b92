import { setTimeout as wait } from 'node:timers/promises';
import { Interrupted } from '../src/io.js';
import { runCli } from '../src/run-cli.js';
import type { FakeIoOptions } from './fake-io.js';
import { createFakeIo } from './fake-io.js';
import type { MaiResult } from './run-mai.js';

/** Shorter than the tests' timeout, so that a failure names the missing output. */
const OUTPUT_WITHIN_MS = 45_000;

type Line = Record<string, unknown>;

/** A `mai` that runs until a test interrupts it. */
export interface RunningMai {
  readonly out: () => string;
  readonly err: () => string;
  /** The printed JSON values, one for each line. */
  readonly lines: () => readonly Line[];
  /**
   * The first line of this type that `holds`, from the line `from` on. Fails if `mai` ends first.
   */
  readonly line: (type: string, holds?: (line: Line) => boolean, from?: number) => Promise<Line>;
  /** Presses Ctrl-C and waits for the end. */
  readonly interrupt: () => Promise<Pick<MaiResult, 'exitCode' | 'out' | 'err'>>;
  readonly ended: Promise<number>;
}

/** Starts `mai` in this process with a fake outside world. */
export function startMai(
  argv: readonly string[],
  options: Omit<FakeIoOptions, 'signal'> = {},
): RunningMai {
  const controller = new AbortController();
  const io = createFakeIo({ ...options, signal: controller.signal });
  let over = false;
  const ended = runCli(argv, io).finally(() => (over = true));
  const lines = () =>
    io
      .out()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Line);
  return {
    out: io.out,
    err: io.err,
    lines,
    line: async (type, holds = () => true, from = 0) => {
      const untilMs = Date.now() + OUTPUT_WITHIN_MS;
      for (;;) {
        const last = over;
        const found = lines()
          .slice(from)
          .find((line) => line['type'] === type && holds(line));
        if (found !== undefined) return found;
        if (last) throw new Error(`mai ended without ${type}: ${io.err()}`);
        if (Date.now() > untilMs) {
          const told = io.out().split('\n').slice(-20).join('\n');
          throw new Error(
            `mai printed no line of type ${type}. Its last lines:\n${told}\n${io.err()}`,
          );
        }
        await wait(10);
      }
    },
    interrupt: async () => {
      controller.abort(new Interrupted(130));
      return { exitCode: await ended, out: io.out(), err: io.err() };
    },
    ended,
  };
}
