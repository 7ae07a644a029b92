/** What holds where `switching` says nothing, in the terms of the file. */
export const SWITCHING_DEFAULTS = {
  memory_percent: 80,
  vram_percent: 90,
  cpu_percent: 80,
  upgrade_below_percent_min: 65,
  hard_limit_percent: 92,
  unified_hard_limit_percent: 85,
  dwell: '20s',
  cool_down: '60s',
  min_headroom: '1GiB',
  idle: 'keep',
  drain_deadline: '60s',
  foreign: 'observe',
  foreign_idle: '10m',
} as const;
