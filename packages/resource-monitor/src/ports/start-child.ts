import type { ChildProcess } from 'node:child_process';
import type { Clock } from './clock.js';

/** Delay between SIGTERM and SIGKILL. */
const KILL_AFTER_MS = 500;
/** Wait after SIGKILL. A program that hangs in a driver survives SIGKILL, so the wait must end. */
const GIVE_UP_AFTER_MS = 1000;

export interface ChildOptions {
  readonly stdin: 'pipe' | 'ignore';
  /** Whether the program starts other programs, which are killed with it. */
  readonly startsOthers: boolean;
}

/** A program that runs as a child of this process, and is killed at the latest when this process exits. */
export interface Child {
  readonly process: ChildProcess;
  /** Resolves when the child has ended and its output is read, or could not be started. */
  readonly gone: Promise<ChildEnd>;
  kill(): void;
  /** Ends the child with SIGTERM, and with SIGKILL if that does not help. Resolves when it is gone or survives SIGKILL. */
  end(): Promise<void>;
}

/** How a child has ended. One of the fields is not null. */
export interface ChildEnd {
  readonly exitCode: number | null;
  readonly killedBy: NodeJS.Signals | null;
  /** Why the child could not be started. */
  readonly fault: Error | null;
}

/** Starts a program without a shell. @throws the error of Node, for example where the program's file is being written */
export type StartChild = (
  program: string,
  args: readonly string[],
  options: ChildOptions,
) => Promise<Child>;

export function createStartChild(
  clock: Clock,
  platform: NodeJS.Platform,
  env: Readonly<Record<string, string | undefined>>,
): StartChild {
  const live = new Set<Child>();
  const killAll = (): void => {
    for (const child of live) child.kill();
  };

  return async (program, args, { stdin, startsOthers }) => {
    // node:child_process is loaded on first use, because loading takes 2 ms and most machines never need it.
    const { spawn } = await import('node:child_process');
    // Not on Windows, where the option `detached` opens a window and creates no process group.
    const leadsGroup = startsOthers && platform !== 'win32';
    const spawned = spawn(program, args, {
      stdio: [stdin, 'pipe', 'pipe'],
      windowsHide: true,
      detached: leadsGroup,
      // Makes programs print English and a decimal point, whatever the user's language.
      env: { ...env, LC_ALL: 'C', LANG: 'C', ELECTRON_RUN_AS_NODE: '1' },
    });
    // Without a listener a broken pipe would end this process. The child's exit also reports the broken pipe.
    spawned.stdin?.on('error', () => undefined);

    /** Sends the signal to the child and, where it leads a process group, to the programs that it has started. */
    const send = (signal: NodeJS.Signals): void => {
      if (!leadsGroup || spawned.pid === undefined) {
        spawned.kill(signal);
        return;
      }
      try {
        process.kill(-spawned.pid, signal);
      } catch {
        // The group has already ended.
      }
    };
    const gone = new Promise<ChildEnd>((resolve) => {
      spawned.once('close', (exitCode, killedBy) => resolve({ exitCode, killedBy, fault: null }));
      spawned.once('error', (fault) => resolve({ exitCode: null, killedBy: null, fault }));
    });
    const end = async (): Promise<void> => {
      const over = new AbortController();
      void gone.then(() => {
        over.abort();
        // Programs that the child started may have ignored SIGTERM.
        if (leadsGroup) send('SIGKILL');
      });
      send('SIGTERM');
      try {
        await clock.sleep(KILL_AFTER_MS, { signal: over.signal });
        send('SIGKILL');
        await clock.sleep(GIVE_UP_AFTER_MS, { signal: over.signal });
      } catch {
        // The child is gone.
        return;
      }
      for (const stream of spawned.stdio) stream?.destroy();
      spawned.unref();
    };
    const child: Child = { process: spawned, gone, kill: () => send('SIGKILL'), end };

    if (live.size === 0) process.once('exit', killAll);
    live.add(child);
    const forget = (): void => {
      live.delete(child);
      if (live.size === 0) process.removeListener('exit', killAll);
    };
    spawned.once('exit', forget);
    spawned.once('error', forget);
    return child;
  };
}
