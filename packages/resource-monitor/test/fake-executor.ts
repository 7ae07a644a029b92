import type { Executor, RunResult, StreamListener } from '../src/ports/executor.js';

/** A recorded run of a program. */
export interface FakeCommand {
  /** The program's name, without its path. */
  readonly program: string;
  /** Texts that the program's arguments must contain. Default: any arguments. */
  readonly args?: readonly string[];
  readonly stdout: string;
  readonly exitCode?: number;
}

export interface FakeExecutor extends Executor {
  /** Every program that was started, with its arguments. */
  readonly started: readonly string[];
  /** The streams that have not ended. */
  readonly running: Set<FakeStream>;
}

export interface FakeStream {
  readonly command: string;
  readonly args: readonly string[];
  readonly sent: string[];
  print(text: string): void;
  end(detail: string): void;
}

/** Replays recorded output. A stream prints its output once and then waits for the test. */
export function createFakeExecutor(commands: readonly FakeCommand[]): FakeExecutor {
  const started: string[] = [];
  const running = new Set<FakeStream>();
  const nameOf = (program: string): string =>
    (program.split(/[\\/]/).at(-1) ?? program).replace(/\.exe$/, '');
  const find = (program: string, args: readonly string[]): FakeCommand | undefined =>
    commands.find(
      (command) =>
        command.program === nameOf(program) &&
        (command.args ?? []).every((wanted) => args.some((arg) => arg.includes(wanted))),
    );
  return {
    started,
    running,
    find: (name) => (commands.some(({ program }) => program === name) ? `/fake/${name}` : null),
    run(program, args): Promise<RunResult> {
      started.push(`${nameOf(program)} ${args.join(' ')}`);
      const command = find(program, args);
      return Promise.resolve(
        command === undefined
          ? { outcome: 'not-started', exitCode: null, stdout: '', stderr: 'ENOENT' }
          : {
              outcome: 'exited',
              exitCode: command.exitCode ?? 0,
              stdout: command.stdout,
              stderr: '',
            },
      );
    },
    stream(program, args, listener: StreamListener) {
      started.push(`${nameOf(program)} ${args.join(' ')}`);
      const command = find(program, args);
      const stream: FakeStream = {
        command: nameOf(program),
        args,
        sent: [],
        print: (text) => {
          for (const line of text.split('\n')) listener.onLine(line);
        },
        end: (detail) => {
          running.delete(stream);
          listener.onEnd(detail);
        },
      };
      running.add(stream);
      if (command !== undefined) queueMicrotask(() => stream.print(command.stdout));
      return Promise.resolve({
        processId: 1,
        send: (line: string) => stream.sent.push(line),
        stop: () => {
          if (running.has(stream)) stream.end('killed by SIGTERM');
          return Promise.resolve();
        },
      });
    },
  };
}
