import { type Invocation, parseCommandLine } from './command-line/parse-command-line.js';
import { RUNTIMES } from './arguments/choices.js';
import { Input } from './arguments/input.js';
import type { CommandContext } from './context.js';
import type { Io } from './io.js';
import { EXIT } from './exit-codes.js';
import { reportError } from './report-error.js';
import { createOutput } from './terminal/output.js';

/** Runs one command line and resolves to its exit code. Never rejects. */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  let invocation: Invocation | null = null;
  try {
    invocation = parseCommandLine(argv);
    const context = contextOf(invocation, argv, io);
    if (invocation.kind === 'version') {
      const { output } = context;
      if (output.json) output.resultJson({ version: io.version });
      else output.result(`mai ${io.version}\n`);
      return EXIT.success;
    }
    if (invocation.kind === 'help') {
      const { renderHelp } = await import('./command-line/help.js');
      const { output } = context;
      const help = renderHelp(invocation.path, output.style, output.textWidth);
      if (output.json) output.resultJson({ help });
      else output.result(help);
      return EXIT.success;
    }
    const run = await invocation.path.at(-1)?.load?.();
    if (run === undefined) throw new Error('The command has no `load` function.');
    return await run(context, invocation.input);
  } catch (error) {
    const isAbort = error instanceof Error && /^(?:AbortError|Interrupted)$/.test(error.name);
    const interrupted = io.signal.aborted && error !== io.signal.reason && isAbort;
    return reportError(
      interrupted ? io.signal.reason : error,
      outputFor(invocation, argv, io),
      argv.includes('--verbose'),
    );
  }
}

function contextOf(invocation: Invocation, argv: readonly string[], io: Io): CommandContext {
  const input = invocation.kind === 'run' ? invocation.input : new Input([], new Map());
  return {
    io,
    output: outputFor(invocation, argv, io),
    globals: {
      url: input.text('url') ?? undefined,
      apiTokenFile: input.text('api-token-file') ?? undefined,
      configFile: input.text('config') ?? undefined,
      runtime: input.choice('runtime', RUNTIMES) ?? undefined,
      modelFolders: input.list('models') ?? undefined,
      timeoutMs: input.durationMs('timeout') ?? undefined,
    },
    signal: io.signal,
  };
}

/** The output, also for a command line that could not be parsed. */
function outputFor(invocation: Invocation | null, argv: readonly string[], io: Io) {
  const has = (name: string) =>
    invocation?.kind === 'run' ? invocation.input.has(name) : argv.includes(`--${name}`);
  return createOutput(io, { json: has('json'), quiet: has('quiet'), noColour: has('no-color') });
}
