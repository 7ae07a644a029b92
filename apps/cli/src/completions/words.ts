import type { NameKind } from '@mai/host';
import type { CommandSpec, Completion, OptionSpec } from '../arguments/command-spec.js';
import { visibleOf } from '../arguments/command-spec.js';

/** The completions for one option or argument. */
export type Words =
  | { readonly kind: 'none' }
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'files' }
  /** Names that change. The shell asks `mai complete` for them. */
  | { readonly kind: 'names'; readonly what: NameKind };

/** A command or subcommand with its path. */
export interface FlatCommand {
  /** The words that lead to the command, such as `config init`. */
  readonly path: string;
  readonly spec: CommandSpec;
}

/** Every visible command and subcommand. */
export function flattenCommands(commands: readonly CommandSpec[], prefix = ''): FlatCommand[] {
  return visibleOf(commands).flatMap((spec) => {
    const path = prefix === '' ? spec.name : `${prefix} ${spec.name}`;
    return [{ path, spec }, ...flattenCommands(spec.subcommands ?? [], path)];
  });
}

/** The options that take a value, each name once. */
export function valueOptions(
  commands: readonly CommandSpec[],
  globals: readonly OptionSpec[],
): OptionSpec[] {
  const all = [...globals, ...flattenCommands(commands).flatMap(({ spec }) => spec.options ?? [])];
  const named = new Map(
    all.flatMap((option) => (option.value === undefined ? [] : [[option.name, option] as const])),
  );
  return [...named.values()];
}

/** The spellings of an option: `--name`, and `-n` where it has a short form. */
export function flagsOf({ name, short }: OptionSpec): string[] {
  return short === undefined ? [`--${name}`] : [`--${name}`, `-${short}`];
}

/** The completions for the value of an option. */
export function optionWords({ choices, completes }: OptionSpec): Words {
  return wordsFrom(choices, completes);
}

/** The completions for the first argument of a command. */
export function argumentWords(spec: CommandSpec): Words {
  const argument = spec.arguments?.[0];
  return wordsFrom(argument?.choices, argument?.completes);
}

function wordsFrom(
  choices: readonly string[] | undefined,
  completes: Completion | undefined,
): Words {
  if (choices !== undefined) return { kind: 'words', words: choices };
  if (completes === undefined) return { kind: 'none' };
  return completes === 'file' ? { kind: 'files' } : { kind: 'names', what: completes };
}
