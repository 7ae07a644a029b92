import type { FileTree } from '../ports/file-tree.js';

/** Where the control groups of this process are, for one controller. */
export interface CgroupFolders {
  readonly version: 1 | 2;
  /** From this process's own group up to the topmost that can be seen. */
  readonly folders: readonly string[];
}

interface Mount {
  readonly version: 1 | 2;
  readonly controllers: readonly string[];
  /** The part of the hierarchy that is mounted here. */
  readonly root: string;
  readonly mountPoint: string;
}

/** Finds the groups that limit this process, by controller: `memory`, `cpu`, `cpuacct`. */
export type FindCgroup = (controller: string) => CgroupFolders | null;

/**
 * Reads where this process is, once. Version 1 wins where both are mounted: a controller is in one
 * hierarchy only, and the hybrid layout mounts an empty version 2 beside it. Null where the
 * controller is in neither. See cgroups(7).
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
    // The path may hold colons itself.
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

/** mountinfo writes a space in a path as \040. */
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
  // A container may see the host's path of its group, but only its own part of the hierarchy.
  const visible = folders.filter((folder) => files.exists(folder));
  return [...visible, mount.mountPoint];
}

function relativeTo(root: string, path: string): string {
  // `/..` leads out of a cgroup namespace: nothing of it can be seen here.
  if (path.startsWith('/..')) return '';
  if (root === '/') return path;
  return path === root || path.startsWith(`${root}/`) ? path.slice(root.length) : '';
}
