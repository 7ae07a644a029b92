import type { CommandContext } from '../context.js';
import type { Input } from '../command-line/input.js';
import { COMMANDS, GLOBAL_OPTIONS } from '../command-line/command-table.js';
import { bashCompletions } from '../completions/bash.js';
import { fishCompletions } from '../completions/fish.js';
import { zshCompletions } from '../completions/zsh.js';
import { EXIT, type ExitCode } from '../exit-codes.js';

const RENDERERS = { bash: bashCompletions, zsh: zshCompletions, fish: fishCompletions };

/** `mai completions SHELL`: a completion script made from the command table. */
export function run({ output }: CommandContext, input: Input): Promise<ExitCode> {
  const shell = input.positionals[0] as keyof typeof RENDERERS;
  const script = RENDERERS[shell](COMMANDS, GLOBAL_OPTIONS);
  if (output.json) output.resultJson({ shell, script });
  else output.result(script);
  return Promise.resolve(EXIT.success);
}
