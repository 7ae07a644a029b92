import { DEFAULT_MODELS } from './default-models.js';
import type { WorldInput } from './world-input.js';

const GIB = 2 ** 30;

/** The name of a world that is part of this package. */
export type ExampleWorldName = 'desktop' | 'laptop' | 'mac' | 'workstation' | 'link';

const EXAMPLES: Readonly<Record<ExampleWorldName, WorldInput>> = {
  desktop: {},
  laptop: {
    machine: {
      name: 'simulated-laptop',
      cpuName: 'Simulated CPU 4-core',
      ramBytes: 16 * GIB,
      othersRamBytes: 6 * GIB,
      gpus: [],
      loadBytesPerSecond: 1e9,
      promptTokensPerSecond: 60,
    },
  },
  mac: {
    machine: {
      name: 'simulated-mac',
      platform: 'darwin',
      cpuName: 'Apple M4 Pro',
      architecture: 'ARM64',
      ramBytes: 24 * GIB,
      othersRamBytes: 9 * GIB,
      gpus: [
        {
          name: 'Apple M4 Pro',
          deviceKey: 'apple',
          memory: 'shared',
          // macOS lets the GPU use two thirds of RAM on a machine of this size.
          totalBytes: 16 * GIB,
          platform: 'Metal',
        },
      ],
    },
  },
  workstation: {
    machine: {
      name: 'RENDER-01',
      platform: 'win32',
      cpuName: 'Simulated CPU 16-core',
      ramBytes: 64 * GIB,
      othersRamBytes: 14 * GIB,
      gpus: [
        { name: 'NVIDIA GeForce RTX 4090', totalBytes: 24 * GIB, othersBytes: 1 * GIB },
        { name: 'NVIDIA GeForce RTX 4080', totalBytes: 16 * GIB },
      ],
    },
  },
  link: {
    deviceIdentifier: 'device-desk',
    devices: [
      {
        deviceIdentifier: 'device-render',
        deviceName: 'Render box',
        machine: {
          name: 'render-box',
          ramBytes: 128 * GIB,
          othersRamBytes: 10 * GIB,
          gpus: [{ name: 'NVIDIA RTX A6000', totalBytes: 48 * GIB }],
        },
        models: DEFAULT_MODELS.filter(({ modelKey }) => modelKey === 'openai/gpt-oss-20b'),
      },
      { deviceIdentifier: 'device-laptop', deviceName: 'Laptop', status: 'disconnected' },
    ],
    models: DEFAULT_MODELS.filter(({ modelKey }) => modelKey !== 'openai/gpt-oss-20b'),
  },
};

/**
 * A world that is part of this package: `desktop` (the default: 32 GiB of RAM, a GPU with 12 GiB, eight
 * models), `laptop` (16 GiB, no GPU), `mac` (24 GiB of unified memory), `workstation` (Windows, two GPUs),
 * `link` (the largest model is on an LM Link device). The GPUs have the names of real ones, so that clients know their speed.
 */
export function exampleWorld(name: ExampleWorldName): WorldInput {
  return EXAMPLES[name];
}

/** Whether an example world has this name. */
export function isExampleWorldName(name: string): name is ExampleWorldName {
  return Object.hasOwn(EXAMPLES, name);
}
