import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { DecisionRecord, LogRecord } from '@mai/autopilot';
import { initialHysteresis, reduceHysteresis } from '@mai/autopilot';
import { DEFAULT_SELECTION_POLICY, type LoadSpeed } from '@mai/memory-ledger';
import { selectModel } from '@mai/selector';
import { candidateOf, GIB, inputOf, residentOf } from './selection-input.js';

const MODEL_GIB = { 'acme/large': 16, 'acme/small': 4 } as const;
const CANDIDATES = [
  candidateOf('acme/large', 'large', MODEL_GIB['acme/large']),
  candidateOf('acme/small', 'small', MODEL_GIB['acme/small']),
];

/** A decision in the form that the autopilot writes. */
export function decisionOf(
  sequence: number,
  atMs: number,
  othersGib: number,
  resident: keyof typeof MODEL_GIB | null,
  judged: Readonly<Record<string, { readonly speed: LoadSpeed; readonly quality: number }>> = {},
  downloaded = true,
): DecisionRecord {
  const residents = resident === null ? [] : [residentOf(resident, MODEL_GIB[resident])];
  const candidates = CANDIDATES.map((one) => ({
    ...one,
    downloaded,
    loadOptions: one.loadOptions.map((option) => ({ ...option, ...judged[one.modelKey] })),
  }));
  const input = inputOf(atMs, othersGib, candidates, residents);
  const selection = selectModel(input);
  const before = initialHysteresis();
  const observed = { atMs, timeToHardLimitMs: null, reactionMs: 3000 };
  const { verdict } = reduceHysteresis(
    before,
    { selection, upgradeMarginRatio: 0, ...observed },
    DEFAULT_SELECTION_POLICY,
  );
  const hysteresis = { before, ...observed, policy: DEFAULT_SELECTION_POLICY, verdict };
  return { type: 'decision', version: 2, sequence, atMs, input, selection, hysteresis };
}

/** The outcome of a switch. */
export function outcomeOf(
  sequence: number,
  atMs: number,
  more: Partial<Extract<LogRecord, { type: 'outcome' }>> = {},
): LogRecord {
  return {
    type: 'outcome',
    version: 2,
    sequence,
    atMs,
    reason: 'EMERGENCY',
    outcome: 'switched',
    tookMs: 2400,
    loaded: ['acme/small'],
    unloaded: ['acme/large'],
    failures: [],
    availableBytes: { before: 1 * GIB, after: 13 * GIB },
    ...more,
  };
}

/** Writes a log to the path that `mai explain --url http://127.0.0.1:9` reads. */
export async function writeLog(
  homeFolder: string,
  lines: readonly (LogRecord | string)[],
  name = 'decisions.jsonl',
): Promise<string> {
  const folder = path.join(
    homeFolder,
    '.local/share/mai/autopilot',
    encodeURIComponent('127.0.0.1:9'),
  );
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, name);
  const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)));
  await writeFile(file, text.map((line) => `${line}\n`).join(''));
  return file;
}
