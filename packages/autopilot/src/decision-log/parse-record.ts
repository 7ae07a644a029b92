import { allowedUse, fixedPool, HARD_LIMIT, LIMIT, type Pool } from '@mai/memory-ledger';
import type { PoolOutcome } from '@mai/selector';
import { isRecord } from '../is-record.js';
import { withExpandedFrom } from './with-expanded-from.js';
import { withUnknowns } from './with-unknowns.js';
import { withoutGrowth } from './without-growth.js';
import { withoutSpeeds } from './without-speeds.js';
import {
  RECORD_VERSION,
  type DecisionRecord,
  type LogRecord,
  type RecordVersion,
} from './decision-record.js';

const VERSIONS: readonly RecordVersion[] = [1, 2, 3, 4, RECORD_VERSION];

/**
 * Reads one line of a decision log of this or an older version; `version` says which. Null when the line
 * is not a record.
 */
export function parseRecord(text: string): LogRecord | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isLogRecord(value)) return null;
  if (value.type === 'outcome') return value;
  try {
    return withUnknowns(value.version === RECORD_VERSION ? value : upgraded(value));
  } catch (error) {
    // Only a damaged record leads to a TypeError.
    if (error instanceof TypeError) return null;
    throw error;
  }
}

/** Adds the fields that the version of a record did not have. @throws TypeError where the record is damaged. */
function upgraded(record: DecisionRecord): DecisionRecord {
  const { version } = record;
  let upgradedRecord = record;
  if (version <= 1) upgradedRecord = withLimits(upgradedRecord);
  if (version <= 2) upgradedRecord = withoutGrowth(upgradedRecord);
  if (version <= 3) upgradedRecord = withoutSpeeds(upgradedRecord);
  return withExpandedFrom(upgradedRecord);
}

function isLogRecord(value: unknown): value is LogRecord {
  if (!isRecord(value)) return false;
  const { type, version } = value;
  if (!VERSIONS.some((known) => known === version)) return false;
  return type === 'outcome' || (type === 'decision' && isDecision(value));
}

/** Checks the nested parts that readers of a record access. */
function isDecision({ input, selection, hysteresis }: Readonly<Record<string, unknown>>): boolean {
  return (
    isRecord(input) &&
    Array.isArray(input['candidates']) &&
    Array.isArray(input['residents']) &&
    isRecord(input['resources']) &&
    isRecord(selection) &&
    isRecord(selection['plan']) &&
    Array.isArray(selection['pools']) &&
    Array.isArray(selection['rejected']) &&
    isRecord(hysteresis) &&
    isRecord(hysteresis['before']) &&
    isRecord(hysteresis['policy']) &&
    isRecord(hysteresis['verdict'])
  );
}

/**
 * Adds the limits in bytes, which version 1 left out. The minimum headroom is already part of the limit ratio
 * of version 1.
 */
function withLimits(record: DecisionRecord): DecisionRecord {
  const { selection } = record;
  const pools = selection.pools.map((outcome): PoolOutcome => {
    const { limitRatio, hardLimitRatio } = outcome;
    const pool: Pool = {
      ...fixedPool(outcome.pool, outcome.totalBytes),
      limitRatio,
      hardLimitRatio,
    };
    return {
      ...outcome,
      limitBytes: allowedUse(pool, LIMIT),
      hardLimitBytes: allowedUse(pool, HARD_LIMIT),
    };
  });
  return { ...record, selection: { ...selection, pools } };
}
