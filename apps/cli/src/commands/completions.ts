import type { CommandSpec, OptionSpec, RunCommand } from '../command-line/command-spec.js';
import { bashCompletions } from '../completions/bash.js';
import { fishCompletions } from '../completions/fish.js';
import { zshCompletions } from '../completions/zsh.js';
import { EXIT } from '../exit-codes.js';
import { UsageError } from '../usage-error.js';

const RENDERERS = new Map([
  ['bash', bashCompletions],
  ['zsh', zshCompletions],
  ['fish', fishCompletions],
]);

/** `mai completions SHELL`: a completion script made from the command table. */
export function printCompletions(
  commands: readonly CommandSpec[],
  globals: readonly OptionSpec[],
): RunCommand {
  return ({ output }, input) => {
    const [shell = ''] = input.positionals;
    const render = RENDERERS.get(shell);
    if (render === undefined) {
      throw new UsageError(`SHELL is ${[...RENDERERS.keys()].join(', ')}, not ${shell}.`);
    }
    const script = render(commands, globals);
    if (output.json) output.resultJson({ shell, script });
    else output.result(script);
    return Promise.resolve(EXIT.success);
  };
}
