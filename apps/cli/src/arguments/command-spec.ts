import type { NameKind } from '@mai/host';
import type { ExitCode } from '../exit-codes.js';
import type { CommandContext } from '../context.js';
import type { Input } from './input.js';

/** The kind of values that the shell completes for an option or argument. */
export type Completion = 'file' | NameKind;

/** An option of a command. */
export interface OptionSpec {
  readonly name: string;
  /** One letter, for `-x`. */
  readonly short?: string;
  /** Placeholder of the value in the help text. Absent: the option is a switch. */
  readonly value?: string;
  readonly choices?: readonly string[];
  readonly summary: string;
  readonly completes?: Completion;
  /** Options and arguments: without one of these, this option has no effect and is refused. */
  readonly needs?: readonly string[];
}

/** A positional argument of a command. */
export interface ArgumentSpec {
  /** The name in the help text. `...` at the end allows several values. */
  readonly name: string;
  readonly required: boolean;
  readonly summary: string;
  readonly choices?: readonly string[];
  readonly completes?: Completion;
}

/** A command of the command table. */
export interface CommandSpec {
  readonly name: string;
  readonly summary: string;
  readonly arguments?: readonly ArgumentSpec[];
  readonly options?: readonly OptionSpec[];
  readonly examples?: readonly (readonly [command: string, does: string])[];
  readonly subcommands?: readonly CommandSpec[];
  /** Whether the help text and the completions leave the command out. */
  readonly hidden?: boolean;
  /** Imports only the code of this command. Absent where a subcommand is required. */
  readonly load?: () => Promise<RunCommand>;
}

/** Runs a command and returns its exit code. */
export type RunCommand = (context: CommandContext, input: Input) => Promise<ExitCode>;

/** The commands that the help text and the completions list. */
export function visibleOf(commands: readonly CommandSpec[]): readonly CommandSpec[] {
  return commands.filter(({ hidden }) => hidden !== true);
}
