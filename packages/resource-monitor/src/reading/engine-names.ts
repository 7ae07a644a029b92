/**
 * LM Studio's own processes are known by name: the app (`lm-studio`, `LM Studio`, `LM Studio Helper`) and
 * the headless daemon (`llmster`). The engines are children of these processes and are called `node`. So they
 * are found by their parent or, if the parent is gone, by their program's path (`.../.internal/utils/node`).
 */
const ROOT_NAMES = /^(lm[ -]studio\b.*|llmster(\.exe)?)$/i;
const ENGINE_PROGRAM = /[\\/]\.internal[\\/]utils[\\/]node(\.exe)?$/i;

/** One line of a process table. */
export interface ProcessEntry {
  readonly processId: number;
  readonly parentId: number;
  readonly name: string;
  /** The program's path; null if the path was not looked up. */
  readonly program: string | null;
}

/** The ids of the engines' processes: LM Studio's, found by name, program or parent, and those that the caller knows. */
export function findEngines(
  table: readonly ProcessEntry[],
  known: readonly number[],
): ReadonlySet<number> {
  const childrenOf = new Map<number, number[]>();
  for (const { processId, parentId } of table) {
    const siblings = childrenOf.get(parentId);
    if (siblings === undefined) childrenOf.set(parentId, [processId]);
    else siblings.push(processId);
  }
  const found = new Set<number>();
  const present = new Set(table.map(({ processId }) => processId));
  const queue = [
    ...known.filter((processId) => present.has(processId)),
    ...table.filter(isRoot).map(({ processId }) => processId),
  ];
  for (let processId = queue.pop(); processId !== undefined; processId = queue.pop()) {
    if (found.has(processId)) continue;
    found.add(processId);
    queue.push(...(childrenOf.get(processId) ?? []));
  }
  return found;
}

/** Whether a process of this name may be an engine, so that its program's path must be looked up. */
export function mayBeEngine(name: string): boolean {
  return /^node(\.exe)?$/i.test(name);
}

function isRoot({ name, program }: ProcessEntry): boolean {
  return ROOT_NAMES.test(name) || (program !== null && ENGINE_PROGRAM.test(program));
}
