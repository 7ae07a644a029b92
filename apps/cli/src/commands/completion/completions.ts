import type { CommandSpec, OptionSpec, RunCommand } from '../../arguments/command-spec.js';
import { bashCompletions } from '../../completions/bash.js';
import { fishCompletions } from '../../completions/fish.js';
import { zshCompletions } from '../../completions/zsh.js';
import { EXIT } from '../../exit-codes.js';

/** `mai completions SHELL`: a completion script made from the command table. */
export function printCompletions(
  commands: readonly CommandSpec[],
  globals: readonly OptionSpec[],
): RunCommand {
  return ({ output }, input) => {
    // The command table allows only bash, zsh and fish.
    const [shell = 'bash'] = input.positionals;
    const render =
      shell === 'zsh' ? zshCompletions : shell === 'fish' ? fishCompletions : bashCompletions;
    const script = render(commands, globals);
    if (output.json) output.resultJson({ shell, script });
    else output.result(script);
    return Promise.resolve(EXIT.success);
  };
}
