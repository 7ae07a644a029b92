import type { WorldGuardrails } from './world.js';
import type { WorldMachine } from './world-machine.js';

const GIB = 2 ** 30;

/** A desktop with 32 GiB of RAM, 8 of them in use, and one 12 GiB GPU that also drives the screen. */
export const DEFAULT_MACHINE: WorldMachine = {
  name: 'simulated-desktop',
  platform: 'linux',
  cpuName: 'Simulated CPU 8-core',
  architecture: 'x86_64',
  ramBytes: 32 * GIB,
  othersRamBytes: 8 * GIB,
  gpus: [
    {
      name: 'NVIDIA GeForce RTX 3060',
      deviceKey: 'survey:0',
      memory: 'dedicated',
      totalBytes: 12 * GIB,
      othersBytes: 0.5 * GIB,
      platform: 'CUDA',
    },
  ],
  loadBytesPerSecond: 2.5e9,
  promptTokensPerSecond: 1500,
};

export const DEFAULT_GUARDRAILS: WorldGuardrails = {
  mode: 'medium',
  customThresholdBytes: null,
  countsResidents: true,
  countsOthersRam: true,
  // LM Studio does not see VRAM of other programs even at `high`: lmstudio-bug-tracker #2295.
  countsOthersVram: false,
};
