import type { ExitCode } from '../exit-codes.js';
import type { CommandContext } from '../context.js';
import type { Input } from './input.js';

/** What a shell can offer as the value of an option or argument. */
export type Completion = 'file' | 'folder' | 'model' | 'instance' | 'chain' | 'pin';

export interface OptionSpec {
  readonly name: string;
  readonly short?: string;
  /** Placeholder of the value in the help text; without one the option is a switch. */
  readonly value?: string;
  readonly choices?: readonly string[];
  readonly summary: string;
  readonly completes?: Completion;
}

export interface ArgumentSpec {
  readonly name: string;
  readonly required: boolean;
  readonly summary: string;
  readonly choices?: readonly string[];
  readonly completes?: Completion;
}

/** A command as the table describes it: help, completions and parsing are all derived from this. */
export interface CommandSpec {
  readonly name: string;
  readonly summary: string;
  readonly details?: string;
  readonly arguments?: readonly ArgumentSpec[];
  readonly options?: readonly OptionSpec[];
  readonly examples?: readonly (readonly [command: string, does: string])[];
  readonly subcommands?: readonly CommandSpec[];
  /** Left out of the help text and of completions. */
  readonly hidden?: boolean;
  /** Imports the code of the command, and only that. Absent where a subcommand is needed. */
  readonly load?: () => Promise<RunCommand>;
}

export type RunCommand = (context: CommandContext, input: Input) => Promise<ExitCode>;
