import { didYouMean } from '@mai/host';
import { type OptionSpec, visibleOf } from '../arguments/command-spec.js';
import { UsageError } from '../usage-error.js';
import { COMMANDS } from './command-table.js';

/** An option as it was written: `--chian`, `-v`. */
interface WrittenOption {
  readonly name: string;
  readonly rawName: string;
}

/**
 * The error for an option that a command does not have. It names the option that was probably meant.
 *
 * @param here - the command, such as `mai status`
 */
export function unknownOption(
  option: WrittenOption,
  here: string,
  known: readonly OptionSpec[],
): UsageError {
  const { name, rawName } = option;
  const owner = visibleOf(COMMANDS).find(({ options }) =>
    options?.some((one) => one.name === name),
  );
  if (owner !== undefined) {
    return new UsageError(
      `${here} has no option --${name}; \`mai ${owner.name}\` has it. See \`${here} --help\`.`,
    );
  }
  const names = known.map((one) => one.name);
  const guess = name.length > 1 ? suggestionFor(name, names, '--') : guessShort(name, known);
  return new UsageError(`There is no option ${rawName}.${guess} See \`${here} --help\`.`);
}

/** `-v` may mean `-V` or `--verbose`. */
function guessShort(letter: string, known: readonly OptionSpec[]): string {
  const other = known.find(({ short }) => short?.toLowerCase() === letter.toLowerCase());
  if (other === undefined) return '';
  const long = known.find((one) => one !== other && one.name.startsWith(letter));
  return ` Did you mean -${other.short} (--${other.name})${long === undefined ? '' : ` or --${long.name}`}?`;
}

/** ` Did you mean …?` for a word that is close to a known one; empty for other words. */
export function suggestionFor(word: string, known: readonly string[], prefix = ''): string {
  const guess = didYouMean(word, known);
  return guess === null ? '' : ` Did you mean ${prefix}${guess}?`;
}
