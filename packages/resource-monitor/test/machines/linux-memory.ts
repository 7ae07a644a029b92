import type { Machine } from './machine.js';
import { arcStatistics, memInfo } from './machine.js';

const GIB = 1024 ** 3;

/** A server with 64 GiB. ZFS's cache takes 31 GiB of them. */
export const zfsServer: Machine = {
  name: 'Linux with the cache of ZFS',
  sources: [
    'https://github.com/openzfs/zfs/issues/10255 (MemAvailable leaves out the cache; the figures are invented)',
    'https://github.com/openzfs/zfs module/os/linux/zfs/arc_os.c (arc_evictable_memory)',
  ],
  synthetic: true,
  platform: 'linux',
  files: {
    '/proc/meminfo': memInfo({
      MemTotal: 65787412,
      MemFree: 10485760,
      MemAvailable: 11534336,
      Buffers: 131072,
      Cached: 1048576,
      SwapTotal: 0,
      SwapFree: 0,
      Shmem: 65536,
      SReclaimable: 262144,
    }),
    '/proc/spl/kstat/zfs/arcstats': arcStatistics({
      hits: 918273645,
      mru_size: 16106127360,
      mru_evictable_data: 15032385536,
      mru_evictable_metadata: 268435456,
      mfu_size: 16106127360,
      mfu_evictable_data: 15032385536,
      mfu_evictable_metadata: 268435456,
      size: 33285996544,
      c: 33683155200,
      c_min: 2105196928,
      c_max: 33683155200,
    }),
  },
};

/** A server that has reserved 110 of its 126 GiB as huge pages, which a virtual machine or a database uses. */
export const hugePages: Machine = {
  name: 'Linux with huge pages',
  sources: [
    'https://github.com/elastic/beats/issues/6351 (total, free and huge pages; MemAvailable is left out there)',
  ],
  synthetic: true,
  platform: 'linux',
  files: {
    '/proc/meminfo':
      'MemTotal:       132027020 kB\nMemFree:        10274084 kB\nMemAvailable:   10274084 kB\n' +
      'HugePages_Total:   56274\nHugePages_Free:    23506\nHugepagesize:       2048 kB\n',
  },
};

/** A Fedora container whose meminfo has a total of 0 and -766260 kB free. */
export const lxcNegative: Machine = {
  name: 'LXC with a negative /proc/meminfo',
  sources: [
    'https://github.com/lxc/lxcfs/issues/389 (free of host and container; negative figures printed as unsigned)',
  ],
  synthetic: false,
  platform: 'linux',
  files: {
    '/proc/meminfo':
      'MemTotal:              0 kB\nMemFree:        18446744073708785356 kB\nMemAvailable:   18446744073708785356 kB\n' +
      'Buffers:               0 kB\nCached:           698016 kB\nSwapTotal:       8273916 kB\nSwapFree:        8266492 kB\n',
  },
  // libuv reads /proc/meminfo, too, and multiplies modulo 2^64. For a MemTotal of 0, libuv calls sysinfo(2),
  // which returns the host's total.
  memory: { totalBytes: 16386136 * 1024, freeBytes: 2 ** 64 - 766260 * 1024 },
};

/** A container with 4 GiB. Its meminfo counts the file cache as used. The group's statistics are invented. */
export const lxcCacheAsUsed: Machine = {
  name: 'LXC whose /proc/meminfo counts the file cache as used',
  sources: ['https://github.com/lxc/lxcfs/issues/175 (meminfo of lxcfs 2.0.7)'],
  synthetic: true,
  platform: 'linux',
  files: {
    '/proc/meminfo': memInfo({ MemTotal: 4194304, MemFree: 4760, MemAvailable: 4760, Cached: 12 }),
    '/proc/self/cgroup': '0::/\n',
    '/proc/self/mountinfo':
      '30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 none rw\n' +
      '97 90 0:49 /proc/meminfo /proc/meminfo rw,nosuid,nodev,relatime - fuse.lxcfs lxcfs rw\n',
    '/sys/fs/cgroup/memory.max': `${4 * GIB}\n`,
    '/sys/fs/cgroup/memory.current': `${4 * GIB - 4760 * 1024}\n`,
    '/sys/fs/cgroup/memory.stat': `active_file ${GIB}\ninactive_file ${GIB}\n`,
  },
};
