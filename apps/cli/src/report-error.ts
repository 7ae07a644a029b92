import { EXIT, knownError } from './exit-codes.js';
import { Interrupted } from './io.js';
import { UsageError } from './usage-error.js';
import type { Output } from './terminal/output.js';

/** Says on stderr what went wrong and returns the exit code: the one place where errors end. */
export function reportError(error: unknown, output: Output, verbose: boolean): number {
  if (error instanceof Interrupted) {
    output.note('Cancelled.');
    return error.exitCode;
  }
  const known = knownError(error);
  const message = known?.message ?? bugMessage(error, verbose);
  output.fail(message);
  if (verbose && error instanceof Error && !(error instanceof UsageError)) {
    output.stderr.write(`${stackOf(error)}\n`);
  }
  if (output.json) {
    output.resultJson({
      error: { code: known?.code ?? 'BUG', message: known?.message ?? message },
    });
  }
  return known?.exitCode ?? EXIT.bug;
}

/** One line for what nobody expected, with how to report it. */
export function bugMessage(error: unknown, verbose: boolean): string {
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  const how = verbose ? 'with what is below' : 'with the output of the same command and --verbose';
  return `${line.replace(/[.\s]+$/, '')}. This is a bug in mai: please report it ${how}.`;
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stackOf(error.cause)}` : '';
  return `${error.stack ?? error.message}${cause}`;
}
