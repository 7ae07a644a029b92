// What `switching:` of a configuration that says nothing comes to.
const GIB = 1024 ** 3;

export const LIMITS = {
  memoryLimitRatio: 0.8,
  vramLimitRatio: 0.9,
  cpuLimitRatio: 0.8,
  hardLimitRatio: 0.92,
  unifiedHardLimitRatio: 0.85,
  upgradeBelowRatioMin: 0.65,
  minHeadroomBytes: GIB,
  dwellMs: 20_000,
  coolDownMs: 60_000,
  foreign: 'observe',
  foreignIdleMs: 600_000,
};
