import { runCli } from '../src/run-cli.js';
import type { FakeIoOptions } from './fake-io.js';
import { createFakeIo } from './fake-io.js';

export interface MaiResult {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
  /** The parsed stdout of a run with --json. */
  readonly json: () => Record<string, unknown>;
}

/** Runs `mai` in this process with a fake outside world. */
export async function runMai(
  argv: readonly string[],
  options: FakeIoOptions = {},
): Promise<MaiResult> {
  const io = createFakeIo(options);
  const exitCode = await runCli(argv, io);
  return {
    exitCode,
    out: io.out(),
    err: io.err(),
    json: () => JSON.parse(io.out()) as Record<string, unknown>,
  };
}
