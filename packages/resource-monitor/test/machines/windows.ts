import type { Machine } from './machine.js';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

/** The script's output line for figures that were read with PowerShell or DXGI. */
function answer(parts: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({
    id: '1s',
    adapters: [],
    usage: [],
    pageFiles: [],
    battery: null,
    ...parts,
  });
}

/** Strix Halo with a carve-out of 8 GB. The LUID tells which of three counter instances is the GPU's. */
export const windowsApu: Machine = {
  name: 'Windows with an AMD APU',
  sources: [
    'https://github.com/unslothai/unsloth/pull/8863 (registry, LUIDs, counters: 0.947 and 0.141 GiB)',
    'https://github.com/fastfetch-cli/fastfetch/issues/1621 (dedicated and shared totals of another 8060S)',
  ],
  synthetic: false,
  platform: 'win32',
  memory: { totalBytes: 24 * GIB, freeBytes: 10 * GIB },
  commands: [
    {
      program: 'powershell',
      stdout: answer({
        adapters: [
          {
            name: 'Microsoft Basic Render Driver',
            vendor: 5140,
            luid: '94260',
            dedicated: '0',
            shared: '0',
          },
          {
            name: 'AMD Radeon(TM) 8060S Graphics',
            vendor: 4098,
            luid: '86826',
            dedicated: '8354103296',
            shared: '12696061952',
          },
        ],
        usage: [
          {
            name: 'luid_0x00000000_0x00017099_phys_0',
            dedicated: '0',
            shared: String(Math.round(1.273 * GIB)),
          },
          {
            name: 'luid_0x00000000_0x0001532a_phys_0',
            dedicated: String(Math.round(0.947 * GIB)),
            shared: String(Math.round(0.141 * GIB)),
          },
          { name: 'luid_0x00000000_0x00017034_phys_0', dedicated: '0', shared: '0' },
        ],
      }),
    },
  ],
};

/** RTX Spark: nvidia-smi prints the carve-out only. The total of shared memory is half of the RAM, as usual. */
export const windowsN1x: Machine = {
  name: 'Windows with an NVIDIA N1X',
  sources: [
    'https://github.com/unslothai/unsloth/pull/11208 (nvidia-smi, 54.2 GiB of RAM; the registry is invented)',
  ],
  synthetic: true,
  platform: 'win32',
  memory: { totalBytes: Math.round(54.2 * GIB), freeBytes: 40 * GIB },
  commands: [
    {
      program: 'powershell',
      stdout: answer({
        adapters: [
          {
            name: 'NVIDIA N1X',
            vendor: 4318,
            luid: '70000',
            dedicated: String(8128 * MIB),
            shared: String(27 * GIB),
          },
        ],
        usage: [
          {
            name: 'luid_0x00000000_0x00011170_phys_0',
            dedicated: String(199 * MIB),
            shared: String(GIB),
          },
        ],
      }),
    },
    {
      program: 'nvidia-smi',
      args: ['--query-gpu'],
      stdout:
        '1, GPU-11111111-2222-3333-4444-555555555555, 00000000:01:00.0, NVIDIA N1X, 8128, 199, 7929, 0',
    },
  ],
};

/** A desktop with an almost full RTX 4060. WDDM hides the memory of processes. */
export const windowsNvidia: Machine = {
  name: 'Windows with an NVIDIA card',
  sources: [
    'https://github.com/ollama/ollama/issues/4270 (nvidia-smi of an RTX 4060 with WDDM; free is total less used)',
    'https://github.com/XuehaiPan/nvitop/issues/55 (no memory of processes under WDDM)',
  ],
  synthetic: false,
  platform: 'win32',
  memory: { totalBytes: 32 * GIB, freeBytes: 12 * GIB },
  commands: [
    {
      program: 'nvidia-smi',
      args: ['--query-gpu'],
      stdout:
        '1, GPU-00000000-0000-0000-0000-000000000002, 00000000:01:00.0, NVIDIA GeForce RTX 4060, 8188, 7776, 412, 2',
    },
    {
      program: 'nvidia-smi',
      args: ['--query-compute-apps'],
      stdout: 'GPU-00000000-0000-0000-0000-000000000002, 4242, [N/A]\n',
    },
    {
      program: 'powershell',
      stdout: answer({
        commit: ['20000000000', '40000000000'],
        pageFiles: [[8192, 1024]],
        adapters: [
          // Totals of DXCore for an RTX 5060 Laptop: the registry and nvidia-smi differ slightly.
          {
            name: 'NVIDIA GeForce RTX 4060',
            vendor: 4318,
            device: 10370,
            luid: '70000',
            dedicated: String(7899 * MIB),
            shared: String(15932 * MIB),
          },
        ],
        usage: [
          { name: 'luid_0x00000000_0x00011170_phys_0', dedicated: String(7000 * MIB), shared: '0' },
        ],
      }),
    },
  ],
};

/** Lunar Lake: 128 MiB dedicated and up to 18 GiB shared memory. */
export const windowsIntel: Machine = {
  name: 'Windows with an Intel Arc 140V',
  sources: [
    'https://github.com/microsoft/winml-cli/pull/1421 (128 MiB dedicated, 18,376 MiB shared)',
  ],
  synthetic: false,
  platform: 'win32',
  memory: { totalBytes: 32 * GIB, freeBytes: 20 * GIB },
  commands: [
    {
      program: 'powershell',
      stdout: answer({
        adapters: [
          {
            name: 'Intel(R) Arc(TM) 140V GPU (16GB)',
            vendor: 32902,
            device: 25760,
            luid: '',
            dedicated: String(128 * MIB),
            shared: String(18376 * MIB),
          },
        ],
        battery: [1, 80],
      }),
    },
  ],
};
