import { readFileSync } from 'node:fs';

/**
 * The limit on the address space of this process and of the processes that it starts, in bytes (`ulimit -v`, or `LimitAS=` of
 * a service). `null`: no limit, or not known, as on every system except Linux.
 */
export function addressSpaceLimitBytes(): number | null {
  if (process.platform !== 'linux') return null;
  try {
    return limitIn(readFileSync('/proc/self/limits', 'utf8'));
  } catch {
    // No /proc, as in some sandboxes.
    return null;
  }
}

/** The soft limit in the text of `/proc/self/limits`; `null`: unlimited. */
export function limitIn(limits: string): number | null {
  const soft = /^Max address space\s+(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? null : Number(soft);
}

/** A hint for a failed load: the limit may be the reason, and the next step. `null`: there is no limit. */
export function addressSpaceHint(limitBytes = addressSpaceLimitBytes()): string | null {
  if (limitBytes === null) return null;
  const gib = (limitBytes / 2 ** 30).toFixed(1);
  return `The address space of each process is limited to ${gib} GiB here (ulimit -v), and the engine maps the whole file of a model. Run "ulimit -v unlimited", and try again.`;
}
