import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

const PACKAGE = path.join(__dirname, '..');
const DAYS = 14;
const MIB = 1024 * 1024;

/** The output of `test/soak-run.mjs`. */
interface SoakResult {
  readonly metrics: object;
  readonly decisions: number;
  readonly heapBytesByDay: readonly number[];
}

jest.setTimeout(300_000);

test('in two weeks without a restart the heap stays flat and nothing flaps', async () => {
  if (!existsSync(path.join(PACKAGE, 'dist', 'index.js'))) {
    throw new Error('@mai/simulation is not built. Run `npm run build` in packages/simulation.');
  }
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--expose-gc',
    path.join(PACKAGE, 'test', 'soak-run.mjs'),
  ]);
  const { metrics, decisions, heapBytesByDay }: SoakResult = JSON.parse(stdout);
  expect(metrics).toMatchObject({ flaps: 0, busyEvictions: 0, avoidableOutOfMemoryEvents: 0 });
  expect(decisions).toBeGreaterThan(DAYS);
  expect(heapBytesByDay).toHaveLength(DAYS);
  // After the first day the compiled code and the histories have their full size.
  const early = Math.max(...heapBytesByDay.slice(1, 4));
  expect(Math.max(...heapBytesByDay.slice(4)) - early).toBeLessThan(MIB);
});
