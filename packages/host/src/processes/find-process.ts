import { HostError } from '../host-error.js';
import type { RunningProcess } from './list-processes.js';
import { isProgram, listProcesses } from './list-processes.js';

/**
 * The running process with a name or an id. Some programs, such as browsers, start further processes with the
 * same name. Of these, the first process is returned.
 *
 * @throws HostError `INVALID_REQUEST` where no process matches, or several processes with the name were started
 *   independently
 */
export async function findProcess(
  wanted: string,
  platform: NodeJS.Platform,
  signal: AbortSignal,
): Promise<RunningProcess> {
  const processes = await listProcesses(platform, signal);
  if (/^\d+$/.test(wanted)) {
    const found = processes.find(({ processId }) => processId === Number(wanted));
    if (found !== undefined) return found;
    throw new HostError(
      'INVALID_REQUEST',
      `There is no process ${wanted}. Give the id or the name of a running process.`,
    );
  }
  return chooseProcess(wanted, processes);
}

/** The process of a list with the name `wanted`. @throws as `findProcess` */
export function chooseProcess(
  wanted: string,
  processes: readonly RunningProcess[],
): RunningProcess {
  const named = processes.filter((one) => isProgram(one, wanted));
  const ids = new Set(named.map(({ processId }) => processId));
  const roots = named.filter(({ parentId }) => !ids.has(parentId));
  const [first, second] = roots;
  if (first === undefined) {
    throw new HostError(
      'INVALID_REQUEST',
      `No process called ${wanted} is running. Start it first, or give its id.`,
    );
  }
  if (second !== undefined) {
    throw new HostError(
      'INVALID_REQUEST',
      `${roots.length} processes are called ${wanted}: ${roots
        .map(({ processId }) => processId)
        .join(', ')}. Give the id of one of them.`,
    );
  }
  return first;
}
