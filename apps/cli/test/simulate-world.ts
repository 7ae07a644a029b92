import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { SimulationReport } from '@mai/simulation';
import type { MaiResult } from './run-mai.js';
import { runMai } from './run-mai.js';

export const GIB = 1024 ** 3;

/** A row of a trace: time in seconds, GiB that other programs use, and more fields. */
export type Row = readonly [
  atS: number,
  othersGib: number,
  more?: Readonly<Record<string, unknown>>,
];

/** 32 GiB without a GPU: the limit is at 25.6 GiB, the hard limit at 29.44. */
export function traceText(rows: readonly Row[], totalGib = 32): string {
  return rows
    .map(([atS, othersGib, more = {}]) =>
      JSON.stringify({
        tMs: atS * 1000,
        ram: { totalBytes: totalGib * GIB, othersBytes: othersGib * GIB },
        gpus: [],
        cpuOthersRatio: 0.1,
        onBattery: false,
        requests: { ratePerMinute: 0, meanSeconds: 0 },
        ...more,
      }),
    )
    .join('\n');
}

export const LARGE = `
  - key: acme/large
    category: large
    simulate: { footprint: 16GiB, vram: 15GiB, load_seconds: 10, quality: 0.9 }`;
export const SMALL = `
  - key: acme/small
    category: small
    simulate: { footprint: 4GiB, vram: 3GiB, load_seconds: 2, quality: 0.4 }`;

/** A configuration whose chain names the given models in order. */
export function configText(...models: readonly string[]): string {
  const keys = models.map((text) => /key: (\S+)/.exec(text)?.[1] ?? '');
  return `version: 1\nmodels:${models.join('')}\nfallback_chains:\n  default: [${keys.join(', ')}]\n`;
}

/** A folder with a trace and a configuration, on a machine without LM Studio. */
export interface SimulateWorld extends AsyncDisposable {
  readonly folder: string;
  /** Runs `mai simulate` over the trace with further arguments. */
  readonly simulate: (
    rows: readonly Row[] | string,
    config: string,
    line?: string,
    columns?: number,
  ) => Promise<MaiResult>;
  /** Runs with `--json` and returns the report. Throws if the run fails. */
  readonly report: (
    rows: readonly Row[],
    config: string,
    line?: string,
  ) => Promise<SimulationReport>;
}

export async function openSimulateWorld(): Promise<SimulateWorld> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'mai simulate '));
  const simulate: SimulateWorld['simulate'] = async (rows, config, line = '', columns) => {
    await writeFile(
      path.join(folder, 'trace.jsonl'),
      typeof rows === 'string' ? rows : traceText(rows),
    );
    await writeFile(path.join(folder, 'models.yaml'), config);
    const argv = ['simulate', '--trace', 'trace.jsonl', '--config', 'models.yaml'];
    return runMai([...argv, ...line.split(' ').filter((word) => word !== '')], {
      cwd: folder,
      homeFolder: folder,
      // No program listens on this port, and a simulation does not need LM Studio.
      env: { MAI_LMSTUDIO_URL: 'http://127.0.0.1:9' },
      ...(columns === undefined ? {} : { columns }),
    });
  };
  return {
    folder,
    simulate,
    report: async (rows, config, line = '') => {
      const result = await simulate(rows, config, `${line} --json`);
      if (result.exitCode !== 0) throw new Error(result.err);
      return result.json() as unknown as SimulationReport;
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}
