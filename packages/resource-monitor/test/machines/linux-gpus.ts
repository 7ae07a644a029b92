import type { Machine } from './machine.js';
import { memInfo, sysfsCard } from './machine.js';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
/** RAM for machines whose sources report only GPU figures. */
const SOME_MEMORY = memInfo({ MemTotal: 24684084, MemAvailable: 23871248 });

/** An 8 GB card with four fifths in use. */
export const amdCard: Machine = {
  name: 'AMD card with 8 GB',
  sources: [
    'https://github.com/elementary/monitor/issues/369 (mem_info_vram_used and _total)',
    'https://github.com/torvalds/linux drivers/gpu/drm/amd/pm/amdgpu_pm.c (which files a card has)',
  ],
  synthetic: false,
  platform: 'linux',
  files: {
    '/proc/meminfo': SOME_MEMORY,
    ...sysfsCard('card0', {
      vendor: '0x1002',
      uevent: 'DRIVER=amdgpu\nPCI_SLOT_NAME=0000:03:00.0',
      mem_info_vram_used: '6812925952',
      mem_info_vram_total: '8573157376',
      gpu_busy_percent: '12',
      mem_busy_percent: '3',
    }),
  },
};

/** An RX 570 with the totals of VRAM and GTT, and `free -b` of the same machine. */
export const amdPolaris: Machine = {
  name: 'AMD RX 570 with 4 GB',
  sources: ['https://github.com/Ricks-Lab/gpu-utils/issues/118 (both totals, and free -b)'],
  synthetic: false,
  platform: 'linux',
  files: {
    '/proc/meminfo': memInfo({
      MemTotal: 16635121664 / 1024,
      MemFree: 3848486912 / 1024,
      MemAvailable: 10830524416 / 1024,
    }),
    ...sysfsCard('card1', {
      vendor: '0x1002',
      device: '0x67df',
      uevent: 'DRIVER=amdgpu\nPCI_SLOT_NAME=0000:0a:00.0',
      mem_info_gtt_total: '4294967296',
      mem_info_vram_total: '4294967296',
    }),
  },
};

/** Ryzen AI MAX+ 395 with the smallest carve-out, which runs language models in system memory. */
export const amdApu: Machine = {
  name: 'AMD APU with a carve-out of 512 MiB',
  sources: [
    'https://github.com/corecoding/Vitals/pull/515 (VRAM 455 of 512 MiB, GTT 63 of 124 GiB)',
    'https://github.com/ulissesf/qmassa/issues/37 (an APU has gpu_busy_percent and no mem_busy_percent)',
  ],
  synthetic: false,
  platform: 'linux',
  files: {
    '/proc/meminfo': memInfo({ MemTotal: 128 * 1024 * 1024, MemAvailable: 60 * 1024 * 1024 }),
    ...sysfsCard('card1', {
      vendor: '0x1002',
      device: '0x1586',
      uevent: 'DRIVER=amdgpu\nPCI_SLOT_NAME=0000:c3:00.0',
      mem_info_vram_total: String(512 * MIB),
      mem_info_vis_vram_total: String(512 * MIB),
      mem_info_vram_used: String(455 * MIB),
      mem_info_gtt_total: String(124 * GIB),
      mem_info_gtt_used: String(63 * GIB),
      gpu_busy_percent: '97',
    }),
  },
};

/** The same chip with a carve-out of 4 GiB and a GTT limit raised by ttm.pages_limit. */
export const amdApuPagesLimit: Machine = {
  name: 'AMD APU with a carve-out of 4 GiB',
  sources: ['https://github.com/noamsto/nix-amd-ai/issues/42 (both totals)'],
  synthetic: false,
  platform: 'linux',
  files: {
    '/proc/meminfo': memInfo({ MemTotal: 124 * 1024 * 1024, MemAvailable: 100 * 1024 * 1024 }),
    ...sysfsCard('card1', {
      vendor: '0x1002',
      uevent: 'DRIVER=amdgpu\nPCI_SLOT_NAME=0000:c4:00.0',
      mem_info_vram_total: '4294967296',
      mem_info_vis_vram_total: '4294967296',
      mem_info_gtt_total: '103079215104',
      gpu_busy_percent: '0',
    }),
  },
};

/** The same chip with a carve-out of 8 GiB. With the GTT limit, it may use more than all RAM. */
export const amdApuAboveRam: Machine = {
  name: 'AMD APU with a GPU limit above its RAM',
  sources: ['https://github.com/ROCm/legacy-rocm-build/issues/6004 (both totals)'],
  synthetic: false,
  platform: 'linux',
  files: {
    '/proc/meminfo': memInfo({ MemTotal: 119.5 * 1024 * 1024, MemAvailable: 100 * 1024 * 1024 }),
    ...sysfsCard('card1', {
      vendor: '0x1002',
      uevent: 'DRIVER=amdgpu\nPCI_SLOT_NAME=0000:c3:00.0',
      mem_info_vram_total: '8589934592',
      mem_info_vis_vram_total: '8589934592',
      mem_info_gtt_total: '133143986176',
      gpu_busy_percent: '0',
    }),
  },
};

/**
 * A small, almost full card, from `nvidia-smi -q -d MEMORY,UTILIZATION`. The total is used plus free memory.
 */
export const nvidiaCard: Machine = {
  name: 'one NVIDIA card',
  sources: [
    'https://github.com/paradoxxxzero/gnome-shell-system-monitor-applet/issues/356 (1995 total, 1934 used, 61 free, 47 %)',
  ],
  synthetic: false,
  platform: 'linux',
  files: { '/proc/meminfo': SOME_MEMORY },
  commands: [
    {
      program: 'nvidia-smi',
      args: ['--query-gpu'],
      // The source names neither the card nor its UUID.
      stdout:
        '1, GPU-00000000-0000-0000-0000-000000000001, 0000:01:00.0, NVIDIA, 1995, 1934, 61, 47',
    },
  ],
};

/** Two idle workstation cards. */
export const twoNvidiaCards: Machine = {
  name: 'two NVIDIA cards',
  sources: [
    'https://github.com/akash-network/provider-configs/pull/12 (nvidia-smi and -L; free is total less used)',
  ],
  synthetic: false,
  platform: 'linux',
  files: { '/proc/meminfo': SOME_MEMORY },
  commands: [
    {
      program: 'nvidia-smi',
      args: ['--query-gpu'],
      stdout:
        '2, GPU-c7b57be0-94ff-d352-a59b-d0ee00aeed43, 00000000:06:00.0, Quadro RTX 4000, 8192, 1, 8191, 0\n' +
        '2, GPU-d6de6afc-bdfe-75c4-5273-0544439153fc, 00000000:07:00.0, Quadro RTX 4000, 8192, 1, 8191, 0',
    },
  ],
};

/** DGX Spark: all memory figures are N/A, because the GPU uses system memory. */
export const dgxSpark: Machine = {
  name: 'NVIDIA GB10 with unified memory',
  sources: [
    'https://github.com/XuehaiPan/nvitop/pull/208 (nvidia-smi, MemTotal and MemAvailable)',
    'https://github.com/leptonai/gpud/pull/1170 (UUID and bus of another one)',
  ],
  synthetic: false,
  platform: 'linux',
  files: { '/proc/meminfo': memInfo({ MemTotal: 127600748, MemAvailable: 118566368 }) },
  commands: [
    {
      program: 'nvidia-smi',
      args: ['--query-gpu'],
      stdout:
        '1, GPU-2dee1e25-b3b5-007e-2b55-79f2d0f2ebe5, 0000000F:01:00.0, NVIDIA GB10, [N/A], [N/A], [N/A], 0',
    },
  ],
};

/** Arc B580 with 12 GiB on the xe driver. */
export const intelXe: Machine = {
  name: 'Intel Arc B580 on xe',
  sources: [
    'https://github.com/torvalds/linux drivers/gpu/drm/xe/xe_tile_sysfs.c (the file; its size is that of the product)',
  ],
  synthetic: true,
  platform: 'linux',
  files: {
    '/proc/meminfo': SOME_MEMORY,
    ...sysfsCard('card0', {
      vendor: '0x8086',
      device: '0xe20b',
      uevent: 'DRIVER=xe\nPCI_CLASS=30000\nPCI_ID=8086:E20B\nPCI_SLOT_NAME=0000:03:00.0',
      'power/runtime_status': 'active',
      'tile0/physical_vram_size_bytes': '12884901888',
    }),
  },
};

/** A laptop whose RTX 5060 sleeps. The driver knows its name, and its UUID if it was used before. */
export const nvidiaAsleep: Machine = {
  name: 'Laptop with a suspended NVIDIA GPU',
  sources: [
    'https://github.com/henrygd/beszel-docs/pull/35 (an RTX 5060 that nvidia-smi keeps awake; its figures are invented)',
    'https://github.com/theantipopau/omencore/pull/166 (every query wakes the GPU)',
  ],
  synthetic: true,
  platform: 'linux',
  files: {
    '/proc/meminfo': SOME_MEMORY,
    ...sysfsCard('card1', {
      vendor: '0x10de',
      device: '0x2d98',
      uevent: 'DRIVER=nvidia\nPCI_ID=10DE:2D98\nPCI_SLOT_NAME=0000:01:00.0',
      power_state: 'D3cold',
      'power/runtime_status': 'suspended',
    }),
    '/proc/driver/nvidia/gpus/0000:01:00.0/information':
      'Model: \t\t NVIDIA GeForce RTX 5060 Laptop GPU\nIRQ:   \t\t 185\n' +
      'GPU UUID: \t GPU-????????-????-????-????-????????????\nBus Location: \t 0000:01:00.0\n',
  },
  commands: [
    {
      program: 'nvidia-smi',
      args: ['--query-gpu'],
      stdout:
        '1, GPU-11111111-2222-3333-4444-555555555555, 00000000:01:00.0, NVIDIA GeForce RTX 5060 Laptop GPU, 8151, 10, 7900, 0',
    },
  ],
};
