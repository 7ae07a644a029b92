import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  DEFAULT_LOAD_CONFIG,
  DEFAULT_SELECTION_POLICY,
  type Footprint,
  type LoadConfig,
} from '@mai/memory-ledger';
import type { DecisionRecord, LogRecord } from '@mai/autopilot';
import type { SelectionInput } from '@mai/selector';
import { selectModel } from '@mai/selector';
import { initialHysteresis, reduceHysteresis } from '@mai/autopilot';

const GIB = 1024 ** 3;

const footprint = (gib: number): Footprint => ({
  ram: { mappedBytes: 0, anonymousBytes: gib * GIB },
  gpus: [],
  interval: null,
  source: 'measured',
  confidence: 'high',
});

const MODELS = { 'acme/large': 16, 'acme/small': 4 } as const;
type Key = keyof typeof MODELS;

const CONFIG: LoadConfig = { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: 8192 };

/** The input of a decision on a machine of 32 GiB where others use `othersGib`. */
export function inputOf(atMs: number, othersGib: number, resident: Key | null): SelectionInput {
  const used = othersGib + (resident === null ? 0 : MODELS[resident]);
  return {
    candidates: (Object.keys(MODELS) as Key[]).map((modelKey) => ({
      modelKey,
      displayName: modelKey,
      tier: modelKey === 'acme/large' ? 'large' : 'small',
      capabilities: ['chat'],
      downloaded: true,
      maxContextLengthTokens: 32_768,
      loadOptions: [
        { loadConfig: CONFIG, footprint: footprint(MODELS[modelKey]), guardrails: 'pass' },
      ],
      coolingDownUntilMs: null,
    })),
    requirement: { capabilities: ['chat'], minContextLengthTokens: null, tiers: null },
    resources: {
      timestampMs: atMs,
      observable: true,
      ram: {
        totalBytes: 32 * GIB,
        availableBytes: Math.max(0, 32 - used) * GIB,
        mappedCountsAsUsed: false,
      },
      unified: false,
      gpus: [],
      cpu: { utilizationRatio: 0.1, othersRatio: 0.1 },
    },
    residents:
      resident === null
        ? []
        : [
            {
              instanceIdentifier: `mai/${resident}`,
              modelKey: resident,
              loadConfig: CONFIG,
              footprint: footprint(MODELS[resident]),
              busy: false,
              pinned: false,
              foreign: false,
              lastUsedAtMs: atMs,
            },
          ],
    policy: DEFAULT_SELECTION_POLICY,
  };
}

/** A decision in the form that the autopilot writes. */
export function decisionOf(
  sequence: number,
  atMs: number,
  othersGib: number,
  resident: Key | null,
): DecisionRecord {
  const input = inputOf(atMs, othersGib, resident);
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
