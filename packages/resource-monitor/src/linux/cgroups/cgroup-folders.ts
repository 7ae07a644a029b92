import type { FileTree } from '../../ports/file-tree.js';

/** The folders of this process's control groups, for one controller. */
export interface CgroupFolders {
  readonly version: 1 | 2;
  /** The folders from this process's own group up to the topmost visible group. */
  readonly folders: readonly string[];
}

interface Mount {
  readonly version: 1 | 2;
  readonly controllers: readonly string[];
  /** The mounted folder's path within the hierarchy. */
  readonly root: string;
  readonly mountPoint: string;
}

/**
 * Finds the groups of this process for a controller: `memory`, `cpu` or `cpuacct`. Null if the process has no
 * group.
 */
export type FindCgroup = (controller: string) => CgroupFolders | null;

/**
 * Reads this process's membership and the mounts once; see cgroups(7). If both versions are mounted, version 1
 * is used for the controllers that it lists, because a controller belongs to only one hierarchy. In the hybrid
 * layout version 2 has no controllers.
 */
export function createCgroupFinder(files: FileTree): FindCgroup {
  const membership = parseMembership(files.readText('/proc/self/cgroup') ?? '');
  const mounts = parseMounts(files.readText('/proc/self/mountinfo') ?? '');
  return (controller) => {
    const legacy = mounts.find(({ controllers }) => controllers.includes(controller));
    const legacyPath = membership.byController.get(controller);
    if (legacy !== undefined && legacyPath !== undefined) {
      return { version: 1, folders: foldersUpwards(files, legacy, legacyPath) };
    }
    const unified = mounts.find(({ version }) => version === 2);
    if (unified === undefined || membership.unifiedPath === null) return null;
    return { version: 2, folders: foldersUpwards(files, unified, membership.unifiedPath) };
  };
}

function parseMembership(text: string): {
  readonly unifiedPath: string | null;
  readonly byController: ReadonlyMap<string, string>;
} {
  let unifiedPath: string | null = null;
  const byController = new Map<string, string>();
  for (const line of text.split('\n')) {
    // The path can contain colons.
    const match = /^(\d+):([^:]*):(.*)$/.exec(line);
    const [, , controllers = '', path = ''] = match ?? [];
    if (match === null) continue;
    if (controllers === '') unifiedPath = path;
    for (const controller of controllers.split(',')) byController.set(controller, path);
  }
  return { unifiedPath, byController };
}

function parseMounts(text: string): Mount[] {
  return text.split('\n').flatMap((line): Mount[] => {
    if (!line.includes(' - cgroup')) return [];
    const [left = '', right = ''] = line.split(' - ');
    const [, , , root = '', mountPoint = ''] = left.split(' ').map(unescapeOctal);
    const [type = '', , options = ''] = right.split(' ');
    if (type === 'cgroup2') return [{ version: 2, controllers: [], root, mountPoint }];
    if (type !== 'cgroup') return [];
    return [{ version: 1, controllers: options.split(','), root, mountPoint }];
  });
}

/** mountinfo escapes a space in a path as \040. */
function unescapeOctal(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

function foldersUpwards(files: FileTree, mount: Mount, path: string): string[] {
  const inside = relativeTo(mount.root, path);
  const parts = inside.split('/').filter((part) => part !== '');
  const folders = parts.map(
    (_, index) => `${mount.mountPoint}/${parts.slice(0, parts.length - index).join('/')}`,
  );
  // In a container the path can be that of the host, although only the container's part of the hierarchy is
  // mounted.
  const visible = folders.filter((folder) => files.exists(folder));
  return [...visible, mount.mountPoint];
}

function relativeTo(root: string, path: string): string {
  // `/..` is outside of this process's cgroup namespace and not visible.
  if (path.startsWith('/..')) return '';
  if (root === '/') return path;
  return path === root || path.startsWith(`${root}/`) ? path.slice(root.length) : '';
}
