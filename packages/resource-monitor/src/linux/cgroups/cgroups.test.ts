import fc from 'fast-check';
import type { FileTree } from '../../ports/file-tree.js';
import { createFakeFileTree } from '../../../test/fake-file-tree.js';
import { cgroupCpu } from './cgroup-cpu.js';
import { createCgroupFinder } from './cgroup-folders.js';
import { createCgroupMemory } from './cgroup-memory.js';

const GIB = 1024 ** 3;
const MACHINE = 32 * GIB;
const UNIFIED_MOUNT = '30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate';

function unified(path: string, files: Record<string, string> = {}) {
  return createFakeFileTree({
    '/proc/self/cgroup': `0::${path}\n`,
    '/proc/self/mountinfo': `${UNIFIED_MOUNT}\n`,
    ...files,
  });
}

const context = { startedMs: 0, continuing: true };

describe('the cgroup finder', () => {
  it('lists the groups of version 2 from this process upwards', () => {
    const files = unified('/user.slice/app.scope', {
      '/sys/fs/cgroup/user.slice/app.scope/memory.max': 'max',
    });
    expect(createCgroupFinder(files)('memory')).toEqual({
      version: 2,
      folders: [
        '/sys/fs/cgroup/user.slice/app.scope',
        '/sys/fs/cgroup/user.slice',
        '/sys/fs/cgroup',
      ],
    });
  });

  it('uses version 1 in the hybrid layout, where version 2 is mounted without controllers', () => {
    const files = createFakeFileTree({
      '/proc/self/cgroup': '4:memory:/a\n0::/\n',
      '/proc/self/mountinfo':
        '35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n' +
        '41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n',
      '/sys/fs/cgroup/memory/a/memory.limit_in_bytes': '1',
    });
    expect(createCgroupFinder(files)('memory')).toEqual({
      version: 1,
      folders: ['/sys/fs/cgroup/memory/a', '/sys/fs/cgroup/memory'],
    });
  });

  it('removes the mounted path from the path of the group', () => {
    const files = createFakeFileTree({
      '/proc/self/cgroup': '4:memory:/docker/abc/inner\n',
      '/proc/self/mountinfo':
        '35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n',
      '/sys/fs/cgroup/memory/inner/memory.limit_in_bytes': '1',
    });
    expect(createCgroupFinder(files)('memory')?.folders).toEqual([
      '/sys/fs/cgroup/memory/inner',
      '/sys/fs/cgroup/memory',
    ]);
  });

  it.each(['/../../system.slice/x', '/elsewhere'])(
    'uses the mounted folder when the path of the group (%s) is not visible',
    (path) => {
      expect(createCgroupFinder(unified(path))('memory')?.folders).toEqual(['/sys/fs/cgroup']);
    },
  );

  it('reads mount points with spaces', () => {
    const files = createFakeFileTree({
      '/proc/self/cgroup': '0::/\n',
      '/proc/self/mountinfo': '30 23 0:26 / /my\\040cgroups rw - cgroup2 none rw\n',
    });
    expect(createCgroupFinder(files)('memory')?.folders).toEqual(['/my cgroups']);
  });
});

const memoryOf = (files: FileTree) => createCgroupMemory(files, createCgroupFinder(files));

describe('createCgroupMemory', () => {
  const limited = (path: string, files: Record<string, string>) =>
    memoryOf(unified(path, files))?.read(MACHINE);

  it('does not count the file cache as used: available = limit - (current - active_file - inactive_file)', async () => {
    expect(
      await limited('/', {
        '/sys/fs/cgroup/memory.max': `${4 * GIB}\n`,
        '/sys/fs/cgroup/memory.current': `${3 * GIB}\n`,
        '/sys/fs/cgroup/memory.stat': `anon ${GIB}\nactive_file ${GIB / 2}\ninactive_file ${GIB}\n`,
      }),
    ).toEqual({
      version: 2,
      limitBytes: 4 * GIB,
      availableBytes: 2.5 * GIB,
      limitFile: '/sys/fs/cgroup/memory.max',
      folder: '/sys/fs/cgroup',
    });
  });

  it('uses the smallest limit of nested groups, and the smallest available memory of any group', async () => {
    // The outer group's limit is larger, but other members of that group have used the memory.
    expect(
      await limited('/out/in', {
        '/sys/fs/cgroup/out/in/memory.max': `${2 * GIB}`,
        '/sys/fs/cgroup/out/in/memory.current': `${GIB}`,
        '/sys/fs/cgroup/out/in/memory.stat': 'active_file 0\ninactive_file 0\n',
        '/sys/fs/cgroup/out/memory.max': `${8 * GIB}`,
        '/sys/fs/cgroup/out/memory.current': `${7.5 * GIB}`,
        '/sys/fs/cgroup/out/memory.stat': 'active_file 0\ninactive_file 0\n',
      }),
    ).toMatchObject({ limitBytes: 2 * GIB, availableBytes: 0.5 * GIB });
  });

  it('keeps the limit of a group whose use cannot be read, and what is available is unknown', async () => {
    expect(
      await limited('/out/in', {
        '/sys/fs/cgroup/out/in/memory.max': `${2 * GIB}`,
        '/sys/fs/cgroup/out/memory.max': `${8 * GIB}`,
        '/sys/fs/cgroup/out/memory.current': `${GIB}`,
      }),
    ).toMatchObject({ limitBytes: 2 * GIB, availableBytes: null });
  });

  it('counts memory.high as a limit, because above it the kernel slows a process down', async () => {
    expect(
      await limited('/', {
        '/sys/fs/cgroup/memory.max': 'max',
        '/sys/fs/cgroup/memory.high': `${GIB}`,
        '/sys/fs/cgroup/memory.current': '0',
        '/sys/fs/cgroup/memory.stat': '',
      }),
    ).toMatchObject({ limitBytes: GIB, limitFile: '/sys/fs/cgroup/memory.high' });
  });

  it.each([
    ['max', null],
    [String(MACHINE), null],
    [String(MACHINE - 1), MACHINE - 1],
    ['9223372036854771712', null],
  ])('reads a limit of %s as %s', async (text, limitBytes) => {
    const read = await limited('/', {
      '/sys/fs/cgroup/memory.max': text,
      '/sys/fs/cgroup/memory.current': '0',
      '/sys/fs/cgroup/memory.stat': '',
    });
    expect(read?.limitBytes ?? null).toBe(limitBytes);
  });

  it('in version 1 includes the cache of groups below, and the limit of a group above the mounted one', async () => {
    const files = createFakeFileTree({
      '/proc/self/cgroup': '4:memory:/docker/abc\n',
      '/proc/self/mountinfo':
        '35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
      '/sys/fs/cgroup/memory/memory.usage_in_bytes': `${GIB}\n`,
      '/sys/fs/cgroup/memory/memory.stat':
        `active_file 1\ninactive_file 1\nhierarchical_memory_limit ${2 * GIB}\n` +
        `total_active_file ${GIB / 4}\ntotal_inactive_file ${GIB / 4}\n`,
    });
    expect(await createCgroupMemory(files, createCgroupFinder(files))?.read(MACHINE)).toMatchObject(
      {
        version: 1,
        limitBytes: 2 * GIB,
        availableBytes: 1.5 * GIB,
      },
    );
  });

  it('never reports more than the limit or less than 0 as available', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 2 ** 31 - 1 }),
        fc.nat(2 ** 31 - 1),
        fc.nat(2 ** 31 - 1),
        async (limit, current, cached) => {
          const read = await limited('/', {
            '/sys/fs/cgroup/memory.max': String(limit),
            '/sys/fs/cgroup/memory.current': String(current),
            '/sys/fs/cgroup/memory.stat': `active_file ${cached}\ninactive_file 0\n`,
          });
          expect(read?.availableBytes).toBeGreaterThanOrEqual(0);
          expect(read?.availableBytes).toBeLessThanOrEqual(limit);
        },
      ),
    );
  });

  it('limits swap to the smallest memory.swap.max', () => {
    const reader = memoryOf(
      unified('/a', {
        '/sys/fs/cgroup/a/memory.swap.max': 'max',
        '/sys/fs/cgroup/memory.swap.max': `${GIB}`,
        '/sys/fs/cgroup/memory.swap.current': `${GIB / 4}`,
      }),
    );
    expect(reader?.readSwap(8 * GIB)).toEqual({ totalBytes: GIB, freeBytes: 0.75 * GIB });
    expect(reader?.readSwap(GIB)).toBeNull();
  });
});

describe('the swap of version 1', () => {
  const groups = (files: Record<string, string>) =>
    memoryOf(
      createFakeFileTree({
        '/proc/self/cgroup': '4:memory:/a\n',
        '/proc/self/mountinfo': '30 23 0:26 / /cg rw - cgroup cgroup rw,memory\n',
        ...files,
      }),
    );
  const UNLIMITED = '9223372036854771712';

  it('is the combined limit minus the memory limit', () => {
    const reader = groups({
      '/cg/a/memory.limit_in_bytes': `${2 * GIB}`,
      '/cg/a/memory.usage_in_bytes': `${1.5 * GIB}`,
      '/cg/a/memory.memsw.limit_in_bytes': `${3 * GIB}`,
      '/cg/a/memory.memsw.usage_in_bytes': `${1.75 * GIB}`,
      '/cg/memory.limit_in_bytes': UNLIMITED,
      '/cg/memory.memsw.limit_in_bytes': UNLIMITED,
    });
    // 3 - 2 GiB allowed; 1.75 - 1.5 GiB of that in use.
    expect(reader?.readSwap(8 * GIB)).toEqual({ totalBytes: GIB, freeBytes: 0.75 * GIB });
  });

  it('is 0 if both limits are equal, as with `docker run --memory-swap`', () => {
    const reader = groups({
      '/cg/a/memory.limit_in_bytes': `${2 * GIB}`,
      '/cg/a/memory.usage_in_bytes': `${GIB}`,
      '/cg/a/memory.memsw.limit_in_bytes': `${2 * GIB}`,
      '/cg/a/memory.memsw.usage_in_bytes': `${GIB}`,
    });
    expect(reader?.readSwap(8 * GIB)).toEqual({ totalBytes: 0, freeBytes: 0 });
  });

  it('is not limited without a combined limit', () => {
    const limited = { '/cg/a/memory.limit_in_bytes': `${2 * GIB}` };
    expect(groups(limited)?.readSwap(8 * GIB)).toBeNull();
    const unlimited = { ...limited, '/cg/a/memory.memsw.limit_in_bytes': UNLIMITED };
    expect(groups(unlimited)?.readSwap(8 * GIB)).toBeNull();
  });
});

describe('cgroupCpu', () => {
  const cores = () => 8;

  it('has the smallest quota, and the CPU time of the group with that quota', () => {
    const files = unified('/pod/box', {
      '/sys/fs/cgroup/pod/box/cpu.max': 'max 100000\n',
      '/sys/fs/cgroup/pod/box/cpu.stat': 'usage_usec 1000\n',
      '/sys/fs/cgroup/pod/cpu.max': '150000 100000\n',
      '/sys/fs/cgroup/pod/cpu.stat': 'usage_usec 5000000\nuser_usec 1\n',
    });
    expect(cgroupCpu(files, createCgroupFinder(files), cores).read(context)).toEqual({
      value: { busyMs: 5000, totalMs: null, cores: 1.5, of: '/sys/fs/cgroup/pod' },
    });
  });

  it('reads quota and time from the two controllers of version 1', () => {
    const files = createFakeFileTree({
      '/proc/self/cgroup': '2:cpuacct:/b\n1:cpu:/b\n',
      '/proc/self/mountinfo':
        '32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n' +
        '33 31 0:30 / /sys/fs/cgroup/cpuacct rw - cgroup cgroup rw,cpuacct\n',
      '/sys/fs/cgroup/cpu/b/cpu.cfs_quota_us': '50000\n',
      '/sys/fs/cgroup/cpu/b/cpu.cfs_period_us': '100000\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      '/sys/fs/cgroup/cpuacct/b/cpuacct.usage': '7000000\n',
      '/sys/fs/cgroup/cpuacct/cpuacct.usage': '9000000\n',
    });
    expect(cgroupCpu(files, createCgroupFinder(files), cores).read(context)).toEqual({
      value: { busyMs: 7, totalMs: null, cores: 0.5, of: '/sys/fs/cgroup/cpu/b' },
    });
  });

  it.each(['max 100000', '800000 100000', '900000 100000'])('reads no quota from %s', (text) => {
    const files = unified('/', { '/sys/fs/cgroup/cpu.max': text });
    expect(cgroupCpu(files, createCgroupFinder(files), cores).read(context)).toEqual({
      reason: 'no control group has a CPU quota',
    });
  });
});
