import type { Machine } from './machine.js';
import { memInfo, sysfsCard } from './machine.js';

const MIB = 1024;

/** A KVM guest with two cores: cgroup v1 without limits, cgroup v2 without controllers, PSI, no GPU. */
export const virtualMachine: Machine = {
  name: 'Linux VM without GPU',
  sources: ['captured during development, kernel 6.18, November 2026'],
  synthetic: false,
  platform: 'linux',
  files: {
    '/proc/meminfo':
      'MemTotal:       24684084 kB\nMemFree:        23099016 kB\nMemAvailable:   23871248 kB\n' +
      'Buffers:            2796 kB\nCached:           444000 kB\nSwapCached:            0 kB\n' +
      'SwapTotal:             0 kB\nSwapFree:              0 kB\nShmem:              8872 kB\n',
    '/proc/loadavg': '2.54 1.17 0.62 9/158 29660\n',
    '/proc/stat':
      'cpu  397590 0 46500 1592128 989 0 450 363 0 0\ncpu0 194967 0 21580 802192 111 0 142 183 0 0\n',
    '/proc/vmstat': 'nr_free_pages 5774754\npswpin 0\npswpout 0\n',
    '/proc/pressure/memory':
      'some avg10=0.00 avg60=0.00 avg300=0.00 total=0\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n',
    '/proc/self/cgroup':
      '4:memory:/process_api/922ea255e0aa7587b568fac72440fa3b\n2:cpuacct:/\n1:cpu:/\n0::/\n',
    '/proc/self/mountinfo':
      '32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n' +
      '33 31 0:30 / /sys/fs/cgroup/cpuacct rw,relatime - cgroup cgroup rw,cpuacct\n' +
      '35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n' +
      '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n',
    '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
    '/sys/fs/cgroup/memory/memory.usage_in_bytes': '1026928640\n',
    '/sys/fs/cgroup/memory/memory.stat':
      'hierarchical_memory_limit 9223372036854771712\ntotal_inactive_file 235524096\ntotal_active_file 216715264\n',
    '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
    '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
  },
};

/** A group of 256 MiB that contains a group of 128 MiB, with a shell and 20 MB of file cache. */
export const nestedGroups: Machine = {
  name: 'nested cgroup v1 with limits',
  sources: ['captured during development, kernel 6.18, November 2026'],
  synthetic: false,
  platform: 'linux',
  files: {
    '/proc/meminfo': memInfo({
      MemTotal: 24684084,
      MemAvailable: 23871248,
      SwapTotal: 0,
      SwapFree: 0,
    }),
    '/proc/self/cgroup': '4:memory:/mai-try/inner\n1:cpu:/\n0::/\n',
    '/proc/self/mountinfo':
      '35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n' +
      '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n',
    '/sys/fs/cgroup/memory/mai-try/inner/memory.limit_in_bytes': '134217728\n',
    '/sys/fs/cgroup/memory/mai-try/inner/memory.usage_in_bytes': '21295104\n',
    '/sys/fs/cgroup/memory/mai-try/inner/memory.stat':
      'cache 20004864\nrss 188416\ninactive_file 20004864\nactive_file 0\n' +
      'hierarchical_memory_limit 134217728\nhierarchical_memsw_limit 9223372036854771712\n' +
      'total_cache 20004864\ntotal_inactive_file 20004864\ntotal_active_file 0\n',
    '/sys/fs/cgroup/memory/mai-try/memory.limit_in_bytes': '268435456\n',
    '/sys/fs/cgroup/memory/mai-try/memory.usage_in_bytes': '21725184\n',
    '/sys/fs/cgroup/memory/mai-try/memory.stat':
      'cache 0\ninactive_file 0\nactive_file 0\nhierarchical_memory_limit 268435456\n' +
      'total_cache 20004864\ntotal_inactive_file 20004864\ntotal_active_file 0\n',
  },
};

/** A container with 64 MiB: Docker's API reported the contents of these files. */
export const dockerVersion1: Machine = {
  name: 'Docker with a limit on cgroup v1',
  sources: ['https://github.com/shirou/gopsutil/issues/107'],
  synthetic: false,
  platform: 'linux',
  files: {
    // The source has no figures of the host. These are from the machine above.
    '/proc/meminfo': memInfo({ MemTotal: 24684084, MemAvailable: 23871248 }),
    '/proc/self/cgroup': '4:memory:/docker/abc\n',
    '/proc/self/mountinfo':
      '35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro,nosuid - cgroup cgroup rw,memory\n',
    '/sys/fs/cgroup/memory/memory.limit_in_bytes': '67108864\n',
    '/sys/fs/cgroup/memory/memory.usage_in_bytes': '6537216\n',
    '/sys/fs/cgroup/memory/memory.stat':
      'total_pgmajfault 0\ncache 0\nmapped_file 0\ntotal_inactive_file 0\nrss 6537216\n' +
      'hierarchical_memory_limit 67108864\ntotal_active_file 0\nactive_anon 6537216\nactive_file 0\ninactive_file 0\n',
  },
};

/** A podman container without a limit on a host with 3.843 GB. Almost all of its usage is file cache. */
export const podmanUnlimited: Machine = {
  name: 'podman without a limit on cgroup v1',
  sources: ['https://github.com/podman-container-tools/podman/issues/19905'],
  synthetic: false,
  platform: 'linux',
  files: {
    '/proc/meminfo': memInfo({ MemTotal: 3752929, MemAvailable: 3000000 }),
    '/proc/self/cgroup': '4:memory:/machine.slice/libpod-5db629b04d96.scope\n',
    '/proc/self/mountinfo':
      '35 31 0:32 /machine.slice/libpod-5db629b04d96.scope /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n',
    '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
    '/sys/fs/cgroup/memory/memory.usage_in_bytes': '2869575680\n',
    '/sys/fs/cgroup/memory/memory.stat':
      'cache 2842775552\nrss 675840\ninactive_file 2653802496\nactive_file 188973056\n' +
      'hierarchical_memory_limit 9223372036854771712\nhierarchical_memsw_limit 9223372036854771712\n' +
      'total_cache 2842775552\ntotal_inactive_file 2653802496\ntotal_active_file 188973056\n',
  },
};

/** The limit is from `docker run --memory=125m`. The usage is invented. */
export const dockerVersion2: Machine = {
  name: 'Docker with a limit on cgroup v2',
  sources: ['https://github.com/komuw/ong/issues/100 (the limit)'],
  synthetic: true,
  platform: 'linux',
  files: {
    '/proc/meminfo': memInfo({
      MemTotal: 24684084,
      MemAvailable: 23871248,
      SwapTotal: 2097148,
      SwapFree: 2097148,
    }),
    '/proc/self/cgroup': '0::/\n',
    '/proc/self/mountinfo':
      '2290 2289 0:29 / /sys/fs/cgroup ro,nosuid,nodev,noexec,relatime - cgroup2 cgroup rw,nsdelegate\n',
    '/sys/fs/cgroup/memory.max': '131072000\n',
    '/sys/fs/cgroup/memory.high': 'max\n',
    '/sys/fs/cgroup/memory.current': '50000000\n',
    '/sys/fs/cgroup/memory.stat':
      'anon 20000000\nfile 30000000\nactive_file 10000000\ninactive_file 15000000\n',
    '/sys/fs/cgroup/memory.swap.max': '0\n',
    '/sys/fs/cgroup/memory.swap.current': '0\n',
    '/sys/fs/cgroup/cpu.max': '50000 100000\n',
    '/sys/fs/cgroup/cpu.stat': 'usage_usec 1000000\n',
    '/sys/fs/cgroup/memory.pressure':
      'some avg10=3.50 avg60=0.00 avg300=0.00 total=0\nfull avg10=1.00 avg60=0.00 avg300=0.00 total=0\n',
  },
};

/** WSL2 on a Windows machine with 24 GB, from `top`. */
export const wsl2: Machine = {
  name: 'WSL2',
  sources: [
    'https://github.com/microsoft/WSL/issues/9636 (top: 11892.8 total, 11340.1 avail, swap 3072.0)',
  ],
  synthetic: false,
  platform: 'linux',
  files: {
    '/proc/meminfo': memInfo({
      MemTotal: Math.round(11892.8 * MIB),
      MemFree: Math.round(11404.4 * MIB),
      MemAvailable: Math.round(11340.1 * MIB),
      SwapTotal: 3072 * MIB,
      SwapFree: 3072 * MIB,
    }),
    '/proc/loadavg': '0.00 0.00 0.00 1/8 9\n',
  },
};

/** Hades Canyon: an Intel GPU and a Radeon in one package, which sysfs lists without figures. */
export const intelIntegrated: Machine = {
  name: 'Intel integrated graphics beside a Radeon',
  sources: ['https://github.com/oneapi-src/level-zero/issues/69 (uevent of both cards)'],
  synthetic: false,
  platform: 'linux',
  files: {
    '/proc/meminfo': memInfo({ MemTotal: 24684084, MemAvailable: 23871248 }),
    ...sysfsCard('card0', {
      vendor: '0x8086',
      device: '0x591B',
      uevent:
        'DRIVER=i915\nPCI_CLASS=38000\nPCI_ID=8086:591B\nPCI_SUBSYS_ID=8086:2073\nPCI_SLOT_NAME=0000:00:02.0',
    }),
    ...sysfsCard('card1', {
      vendor: '0x1002',
      device: '0x694C',
      uevent:
        'DRIVER=amdgpu\nPCI_CLASS=30000\nPCI_ID=1002:694C\nPCI_SUBSYS_ID=8086:2073\nPCI_SLOT_NAME=0000:01:00.0',
    }),
  },
};
