import { DEFAULT_SELECTION_POLICY } from '@mai/memory-ledger';
import type { SwitchingSection } from './model-config-file.js';
import { formatDuration, formatPercent, formatSize } from './quantities.js';

/** `switching` with every field set. */
type CompleteSwitching = {
  readonly [Field in keyof SwitchingSection]-?: NonNullable<SwitchingSection[Field]>;
};

/** Defaults of the `switching` fields that are not part of the selection policy. */
export const DEFAULT_IDLE = 'keep';
export const DEFAULT_DRAIN_DEADLINE_MS = 60_000;

const POLICY = DEFAULT_SELECTION_POLICY;

/** The default of each field of `switching`, in the format of the file. */
export const SWITCHING_DEFAULTS: CompleteSwitching = {
  memory_percent: formatPercent(POLICY.memoryLimitRatio),
  vram_percent: formatPercent(POLICY.vramLimitRatio),
  cpu_percent: formatPercent(POLICY.cpuLimitRatio),
  upgrade_below_percent_min: formatPercent(POLICY.upgradeBelowRatioMin),
  hard_limit_percent: formatPercent(POLICY.hardLimitRatio),
  unified_hard_limit_percent: formatPercent(POLICY.unifiedHardLimitRatio),
  dwell: formatDuration(POLICY.dwellMs),
  cool_down: formatDuration(POLICY.coolDownMs),
  min_headroom: formatSize(POLICY.minHeadroomBytes),
  idle: DEFAULT_IDLE,
  drain_deadline: formatDuration(DEFAULT_DRAIN_DEADLINE_MS),
  foreign: POLICY.foreign,
  foreign_idle: formatDuration(POLICY.foreignIdleMs),
  growth: POLICY.growth,
  goal: POLICY.goal,
  min_tokens_per_second: POLICY.minTokensPerSecond,
};

/** The defaults of `fleet.guests` that a number states, in the format of the file. */
export const FLEET_DEFAULTS = { memory_percent: 100 } as const;
