import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { cgroupQuota } from './cgroup-quota.js';

let root: string;
beforeEach(async () => (root = await mkdtemp(path.join(tmpdir(), 'mai cgroup '))));
afterEach(() => rm(root, { recursive: true }));

async function quotaOf(files: Readonly<Record<string, string>>): Promise<number> {
  for (const [file, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(root, file)), { recursive: true });
    await writeFile(path.join(root, file), text);
  }
  return cgroupQuota(root);
}

const V2 = (mountRoot = '/') => `30 23 0:26 ${mountRoot} /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n`;
const V1 = (mountRoot = '/') =>
  [
    `32 25 0:28 ${mountRoot} /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory`,
    `33 25 0:29 ${mountRoot} /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n`,
  ].join('\n');
const GROUP_1 = '4:cpu,cpuacct:/user\n3:memory:/elsewhere\n0::/user\n';
const CPU_1 = '/sys/fs/cgroup/cpu,cpuacct';

test('without control groups, nothing is limited', async () => {
  expect(await quotaOf({})).toBe(Infinity);
});

test.each([
  ['200000 100000', 2],
  ['150000 100000', 1.5],
  ['50000 100000', 0.5],
  ['max 100000', Infinity],
  ['', Infinity],
])('version 2: cpu.max with %j', async (text, expected) => {
  const files = { '/proc/self/mountinfo': V2(), '/proc/self/cgroup': '0::/\n' };
  expect(await quotaOf({ ...files, '/sys/fs/cgroup/cpu.max': `${text}\n` })).toBe(expected);
});

test.each([
  ['200000', '100000', 2],
  ['25000', '50000', 0.5],
  ['-1', '100000', Infinity],
])('version 1: a quota of %s in %s', async (quota, period, expected) => {
  const files = { '/proc/self/mountinfo': V1(), '/proc/self/cgroup': GROUP_1 };
  const limits = {
    [`${CPU_1}/user/cpu.cfs_quota_us`]: `${quota}\n`,
    [`${CPU_1}/user/cpu.cfs_period_us`]: `${period}\n`,
  };
  expect(await quotaOf({ ...files, ...limits })).toBe(expected);
});

test('the smallest limit of all groups above this process counts', async () => {
  const files = { '/proc/self/mountinfo': V2(), '/proc/self/cgroup': '0::/a/b\n' };
  const limits = {
    '/sys/fs/cgroup/a/b/cpu.max': '400000 100000\n',
    '/sys/fs/cgroup/a/cpu.max': '300000 100000\n',
    '/sys/fs/cgroup/other/cpu.max': '100000 100000\n',
  };
  expect(await quotaOf({ ...files, ...limits })).toBe(3);
});

test('in a container, the path of the host is not visible, and the group is mounted at the top', async () => {
  const group = '4:cpu,cpuacct:/docker/abc\n0::/docker/abc\n';
  const limits = {
    [`${CPU_1}/cpu.cfs_quota_us`]: '100000\n',
    [`${CPU_1}/cpu.cfs_period_us`]: '100000\n',
  };
  const files = { '/proc/self/cgroup': group, ...limits };
  expect(await quotaOf({ ...files, '/proc/self/mountinfo': V1('/docker/abc') })).toBe(1);
  // Docker on a host with version 1 may also mount the whole hierarchy.
  expect(await quotaOf({ ...files, '/proc/self/mountinfo': V1() })).toBe(1);
});

test('of both versions, the one with the smaller limit counts', async () => {
  const files = {
    '/proc/self/mountinfo': V1() + V2().replace('/sys/fs/cgroup', '/sys/fs/cgroup/unified'),
    '/proc/self/cgroup': GROUP_1,
    '/sys/fs/cgroup/unified/user/cpu.max': '200000 100000\n',
    [`${CPU_1}/user/cpu.cfs_quota_us`]: '100000\n',
    [`${CPU_1}/user/cpu.cfs_period_us`]: '100000\n',
  };
  expect(await quotaOf(files)).toBe(1);
});
