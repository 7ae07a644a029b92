import { EXIT, knownError, messageOf } from './exit-codes.js';
import { Interrupted } from './io.js';
import type { Output } from './terminal/output.js';

/**
 * Prints an error and returns the exit code. With `--json` the error is one JSON object on
 * stdout, else text on stderr.
 */
export function reportError(error: unknown, output: Output, verbose: boolean): number {
  if (error instanceof Interrupted) {
    if (error.by === 'output') return error.exitCode;
    const message = 'Cancelled.';
    if (output.json) {
      const uncertain = error.unconfirmed.length > 0 ? { uncertain: true } : {};
      output.resultJson({ error: { code: 'CANCELLED', message, ...uncertain } });
    } else {
      output.note(message);
    }
    return error.exitCode;
  }
  const known = knownError(error);
  const message = known?.message ?? bugMessage(error, verbose);
  const stack =
    verbose && error instanceof Error && known?.exitCode !== EXIT.usage ? stackOf(error) : null;
  if (output.json) {
    const stacked = stack === null ? {} : { stack };
    const code = known?.code ?? 'BUG';
    const uncertain = isUncertain(error) ? { uncertain: true } : {};
    output.resultJson({ error: { code, message, ...uncertain, ...stacked } });
  } else {
    output.fail(message);
    if (stack !== null) output.stderr.write(`${stack}\n`);
  }
  return known?.exitCode ?? EXIT.bug;
}

/** Whether a failed load may still succeed, because LM Studio has not confirmed that it stopped. */
function isUncertain(error: unknown): boolean {
  return error instanceof Error && 'uncertain' in error && error.uncertain === true;
}

/** One line for an unexpected error that says how to report it. */
export function bugMessage(error: unknown, verbose: boolean): string {
  const [line = ''] = messageOf(error).split('\n');
  const how = verbose ? 'with the text below' : 'with the output of the same command and --verbose';
  return `${line.replace(/[.\s]+$/, '')}. This is a bug in mai: please report it ${how}.`;
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stackOf(error.cause)}` : '';
  return `${error.stack ?? error.message}${cause}`;
}
