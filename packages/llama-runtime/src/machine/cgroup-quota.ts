import { readFile } from 'node:fs/promises';

/**
 * Processors that the control groups of this process allow, as a number with a fraction; `Infinity`: no limit. Reads both
 * versions: `cpu.max` of version 2, and `cpu.cfs_quota_us` and `cpu.cfs_period_us` of version 1. A group can have less than the
 * group above it, never more, so all groups from this process's own up to the mount count. A group of a container whose path is
 * not visible inside the container is mounted as the topmost group.
 *
 * @param root a folder that replaces `/`, for tests
 */
export async function cgroupQuota(root = ''): Promise<number> {
  const read = (file: string) => readFile(`${root}${file}`, 'utf8').catch(() => '');
  const [membership, mounts] = await Promise.all([
    read('/proc/self/cgroup'),
    read('/proc/self/mountinfo'),
  ]);
  const quotas = foldersOf(membership, mounts).map(async ({ version, folder }) => {
    if (version === 2) return quotaIn(await read(`${folder}/cpu.max`));
    const [quota, period] = await Promise.all(
      ['cpu.cfs_quota_us', 'cpu.cfs_period_us'].map((name) => read(`${folder}/${name}`)),
    );
    return quotaIn(`${quota?.trim()} ${period?.trim()}`);
  });
  return Math.min(Number.POSITIVE_INFINITY, ...(await Promise.all(quotas)));
}

/** `200000 100000` is 2 processors. Without a limit, the first number is `max` or -1. */
function quotaIn(text: string): number {
  const [quota = Number.NaN, period = Number.NaN] = text.trim().split(/\s+/).map(Number);
  return quota > 0 && period > 0 ? quota / period : Number.POSITIVE_INFINITY;
}

interface GroupFolder {
  readonly version: 1 | 2;
  readonly folder: string;
}

/** The folders of the groups that limit this process's CPU time; see cgroups(7). Some may not exist. */
function foldersOf(membership: string, mounts: string): readonly GroupFolder[] {
  return mounts.split('\n').flatMap((line) => {
    // `36 35 98:0 /root /mount/point options - type source options`
    const [left = '', right = ''] = line.split(' - ');
    const [, , , root = '', mountPoint = ''] = left.split(' ').map(unescapeOctal);
    const [type, , options = ''] = right.split(' ');
    const version = type === 'cgroup2' ? 2 : type === 'cgroup' ? 1 : null;
    if (version === null || (version === 1 && !options.split(',').includes('cpu'))) return [];
    const parts = inside(root, pathOf(membership, version))
      .split('/')
      .filter((part) => part !== '');
    return [...parts.keys(), parts.length].map((count) => ({
      version,
      folder: [mountPoint, ...parts.slice(0, count)].join('/'),
    }));
  });
}

/** The path of this process's group: `0::/path` in version 2, `4:cpu,cpuacct:/path` in version 1. A path can contain colons. */
function pathOf(membership: string, version: 1 | 2): string {
  for (const line of membership.split('\n')) {
    const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (version === 2 ? line.startsWith('0::') : controllers.split(',').includes('cpu'))
      return path;
  }
  return '';
}

/** The path below the part of the hierarchy that is mounted. A path outside of it is not visible. */
function inside(root: string, path: string): string {
  if (path.startsWith('/..')) return '';
  if (root === '/') return path;
  return path === root || path.startsWith(`${root}/`) ? path.slice(root.length) : '';
}

/** mountinfo escapes a space in a path as \040. */
function unescapeOctal(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
