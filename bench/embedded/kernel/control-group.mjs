// A memory control group of Linux, version 2 or 1: a limit, what is used, and how often the kernel killed a process in it.
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = '/sys/fs/cgroup';

/** The files of both versions. `usage` counts the page cache, as the limit does. */
const VERSIONS = [
  {
    isHere: () =>
      readIfThere(path.join(ROOT, 'cgroup.controllers')).split(/\s+/).includes('memory'),
    folder: ROOT,
    limit: 'memory.max',
    usage: 'memory.current',
    swap: 'memory.swap.max',
    kills: 'memory.events',
    inactive: 'inactive_file',
    active: 'active_file',
    prepare: () => writeFileSync(path.join(ROOT, 'cgroup.subtree_control'), '+memory'),
  },
  {
    isHere: () => existsSync(path.join(ROOT, 'memory', 'memory.limit_in_bytes')),
    folder: path.join(ROOT, 'memory'),
    limit: 'memory.limit_in_bytes',
    usage: 'memory.usage_in_bytes',
    swap: null,
    kills: 'memory.oom_control',
    inactive: 'total_inactive_file',
    active: 'total_active_file',
    prepare: () => undefined,
  },
];

/**
 * Creates a group with a limit.
 *
 * @returns the group, or `{ reason }` where no group can be made
 */
export function createControlGroup(name, limitBytes) {
  const version = VERSIONS.find(({ isHere }) => isHere());
  if (version === undefined) return { reason: 'this system has no memory control groups' };
  const folder = path.join(version.folder, name);
  try {
    version.prepare();
    mkdirSync(folder);
    writeFileSync(path.join(folder, version.limit), String(limitBytes));
    if (version.swap !== null && existsSync(path.join(folder, version.swap))) {
      writeFileSync(path.join(folder, version.swap), '0');
    }
  } catch (error) {
    return { reason: `a memory control group cannot be written (${error.code})` };
  }
  const read = (file) => readFileSync(path.join(folder, file), 'utf8');
  const field = (text, key) => Number(new RegExp(`^${key} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
  return {
    limitBytes,
    processesFile: path.join(folder, 'cgroup.procs'),
    /** Bytes that cannot be dropped: what is used, without the file pages. */
    heldBytes: () => {
      const stat = read('memory.stat');
      return (
        Number(read(version.usage)) - field(stat, version.inactive) - field(stat, version.active)
      );
    },
    /** How many processes the kernel has killed because of the limit. */
    kills: () => field(read(version.kills), 'oom_kill'),
    /** Ends every process of the group, and removes the group. */
    remove: async () => {
      for (let attempt = 0; attempt < 100; attempt += 1) {
        for (const id of read('cgroup.procs').split('\n').filter(Boolean)) kill(Number(id));
        try {
          rmdirSync(folder);
          return;
        } catch (error) {
          if (error.code !== 'EBUSY') throw error;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }
      throw new Error(`${folder} cannot be removed: its processes do not end.`);
    },
  };
}

function kill(processId) {
  try {
    process.kill(processId, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

function readIfThere(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}
