import type { Input } from '../arguments/input.js';
import type { CommandContext } from '../context.js';
import { nextSteps } from '../demo/next-steps.js';
import { EXIT, type ExitCode } from '../exit-codes.js';

/** `mai demo`. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { runDemo } = await import('../demo/run-demo.js');
  await runDemo(context, { fast: input.has('fast') });
  nextSteps(context.output, 'no-engine');
  return EXIT.success;
}
