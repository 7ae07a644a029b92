import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const BENCH = path.join(__dirname, '../../../bench/embedded/kernel.mjs');
const MIB = 2 ** 20;

test('a trace of somebody else runs inside a control group, with the policy that was asked for', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'traces-'));
  try {
    const trace = path.join(folder, 'trace.jsonl');
    const rows = [0, 2000, 4000].map((tMs) => ({ tMs, othersBytes: 100 * MIB }));
    writeFileSync(trace, rows.map((row) => JSON.stringify(row)).join('\n'));
    const options = ['--trace', trace, '--limit', '1536MiB', '--policy', 'static', '--json'];
    const { status, stdout } = spawnSync(process.execPath, [BENCH, ...options], {
      encoding: 'utf8',
    });
    expect(status).toBe(0);
    const { skipped, limitBytes, results, rejected } = JSON.parse(stdout) as {
      skipped: string | null;
      limitBytes: number;
      results: readonly unknown[];
      rejected: readonly unknown[];
    };
    expect([limitBytes, rejected]).toEqual([1536 * MIB, []]);
    // Control groups need Linux and its administrator.
    if (skipped !== null) {
      expect(results).toEqual([]);
      return;
    }
    expect(results).toEqual([
      expect.objectContaining({
        trace: 'trace.jsonl',
        seed: null,
        policy: 'static',
        kills: 0,
        failed: 0,
        requests: expect.any(Number),
        tokens: expect.any(Number),
        secondsOverHardLimit: expect.any(Number),
      }),
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 240_000);
