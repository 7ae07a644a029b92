import { parseArgs } from 'node:util';
import { UsageError } from '../usage-error.js';
import {
  type ArgumentSpec,
  type CommandSpec,
  type OptionSpec,
  visibleOf,
} from '../arguments/command-spec.js';
import { COMMANDS } from './command-table.js';
import { GLOBAL_OPTIONS } from './global-options.js';
import { Input } from '../arguments/input.js';
import { suggestionFor, unknownOption } from './unknown-option.js';

/** A parsed command line. */
export type Invocation =
  | { readonly kind: 'version' }
  | { readonly kind: 'help'; readonly path: readonly CommandSpec[] }
  | { readonly kind: 'run'; readonly path: readonly CommandSpec[]; readonly input: Input };

type Tokens = NonNullable<ReturnType<typeof tokenize>>;
type OptionToken = Extract<Tokens[number], { kind: 'option' }>;

/** Parses a command line. Throws a `UsageError` for words that are not in the command table. */
export function parseCommandLine(argv: readonly string[]): Invocation {
  const tokens = tokenize(argv);
  const words = tokens.flatMap((token) => (token.kind === 'positional' ? [token.value] : []));
  const asksFor = (name: string) =>
    tokens.some((token) => token.kind === 'option' && token.name === name);

  if (asksFor('version')) return { kind: 'version' };
  if (words[0] === 'help') return { kind: 'help', path: resolvePath(words.slice(1)).path };
  if (words.length === 0) {
    for (const token of tokens) if (token.kind === 'option') checkOption(token, []);
    return { kind: 'help', path: [] };
  }

  // Unknown options are reported before unknown commands: the next word may be the option's
  // value, not a command.
  const known = new Set([...GLOBAL_OPTIONS, ...allOptions()].map(({ name }) => name));
  for (const token of tokens) {
    if (token.kind === 'positional') break;
    if (token.kind === 'option' && !known.has(token.name)) checkOption(token, []);
  }
  const { path, rest } = resolvePath(words);
  if (asksFor('help')) return { kind: 'help', path };
  const options = collectOptions(tokens, path);
  const command = path.at(-1);
  if (command?.load === undefined) {
    throw new UsageError(
      `mai ${nameOf(path)} needs a subcommand: ${(command?.subcommands ?? []).map(({ name }) => name).join(', ')}.`,
    );
  }
  checkArguments(command, path, rest);
  checkNeeds(command, path, rest, options);
  return { kind: 'run', path, input: new Input(rest, options) };
}

/** The names of a command and its parents, as on the command line: `config init`. */
export function nameOf(path: readonly CommandSpec[]): string {
  return path.map(({ name }) => name).join(' ');
}

/** Every option of the table. Options of the same name all take a value, or are all switches. */
export function allOptions(commands: readonly CommandSpec[] = COMMANDS): readonly OptionSpec[] {
  return commands.flatMap((command) => [
    ...(command.options ?? []),
    ...allOptions(command.subcommands ?? []),
  ]);
}

function tokenize(argv: readonly string[]) {
  const specs = [...GLOBAL_OPTIONS, ...allOptions()].filter(({ name, short }) =>
    argv.some((arg) => arg.startsWith(`--${name}`) || (short && /^-[^-]/.test(arg))),
  );
  const options = Object.fromEntries(
    specs.map(({ name, short, value }) => [
      name,
      { type: value === undefined ? 'boolean' : 'string', ...(short ? { short } : {}) } as const,
    ]),
  );
  // Only options that occur, because each takes time. Not strict: `checkOption` reports errors with a suggestion.
  return parseArgs({ args: [...argv], options, strict: false, tokens: true }).tokens;
}

function resolvePath(words: readonly string[]): {
  readonly path: readonly CommandSpec[];
  readonly rest: readonly string[];
} {
  const path: CommandSpec[] = [];
  let level: readonly CommandSpec[] | undefined = COMMANDS;
  let used = 0;
  while (level !== undefined && used < words.length) {
    const word = words[used] ?? '';
    const found: CommandSpec | undefined = level.find(({ name }) => name === word);
    if (found === undefined) throw unknownCommand(word, path, level);
    path.push(found);
    level = found.subcommands;
    used += 1;
  }
  return { path, rest: words.slice(used) };
}

function unknownCommand(
  word: string,
  path: readonly CommandSpec[],
  level: readonly CommandSpec[],
): UsageError {
  const names = visibleOf(level).map(({ name }) => name);
  const parent = path.length === 0 ? '' : ` of mai ${nameOf(path)}`;
  return new UsageError(
    `There is no command ${JSON.stringify(word)}${parent}.${suggestionFor(word, names)} ` +
      `See \`${['mai', nameOf(path), '--help'].filter(Boolean).join(' ')}\`.`,
  );
}

function collectOptions(
  tokens: Tokens,
  path: readonly CommandSpec[],
): ReadonlyMap<string, string | true> {
  const options = new Map<string, string | true>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const spec = checkOption(token, path);
    if (options.has(spec.name) && spec.value !== undefined) {
      throw new UsageError(`--${spec.name} is given twice. Give it once.`);
    }
    options.set(spec.name, spec.value === undefined ? true : (token.value ?? ''));
  }
  return options;
}

function checkOption(token: OptionToken, path: readonly CommandSpec[]): OptionSpec {
  const known = [...GLOBAL_OPTIONS, ...(path.at(-1)?.options ?? [])];
  const spec = known.find(({ name }) => name === token.name);
  if (spec === undefined) {
    const here = ['mai', nameOf(path)].filter(Boolean).join(' ');
    throw unknownOption(token, here, known);
  }
  const { value } = token;
  if (spec.value === undefined) {
    if (value === undefined) return spec;
    throw new UsageError(`--${spec.name} is a switch and takes no value.`);
  }
  // `--chain --load`: the parser took the next option as the value.
  const tookOption = !token.inlineValue && value !== undefined && /^--?[a-z]/i.test(value);
  if (value === undefined || value === '' || tookOption) {
    throw new UsageError(`${token.rawName} needs a value: --${spec.name}=${spec.value}.`);
  }
  if (spec.choices !== undefined && !spec.choices.includes(value)) {
    throw new UsageError(
      `--${spec.name} takes ${alternatives(spec.choices)}, not ${JSON.stringify(value)}.` +
        suggestionFor(value, spec.choices),
    );
  }
  return spec;
}

function checkArguments(
  command: CommandSpec,
  path: readonly CommandSpec[],
  given: readonly string[],
): void {
  const specs = command.arguments ?? [];
  const missing = specs.find((spec, index) => spec.required && given[index] === undefined);
  if (missing !== undefined) {
    throw new UsageError(
      `mai ${nameOf(path)} needs ${missing.name.replace('...', '')}: ${missing.summary}.`,
    );
  }
  // A script passes an empty argument from an unset variable. No model or file has an empty name.
  if (given.includes('')) {
    throw new UsageError(
      `mai ${nameOf(path)} was given an empty argument. Give it a value, or leave it out.`,
    );
  }
  const open = specs.at(-1)?.name.endsWith('...') === true;
  const surplus = given[specs.length];
  if (!open && surplus !== undefined) {
    const last = given[specs.length - 1] ?? '';
    // `yield 8 GiB`: an amount whose unit is a word of its own.
    const next =
      /^[\d.]+$/.test(last) && /^[a-z]+$/i.test(surplus)
        ? `write ${last}${surplus}`
        : `remove ${JSON.stringify(surplus)}`;
    throw new UsageError(
      `mai ${nameOf(path)} takes ${specs.length === 0 ? 'no argument' : `only ${specs.map(({ name }) => name).join(' ')}`}; ${next}.`,
    );
  }
  specs.forEach((spec, index) => checkChoice(spec, given[index]));
}

function checkNeeds(
  command: CommandSpec,
  path: readonly CommandSpec[],
  rest: readonly string[],
  given: ReadonlyMap<string, string | true>,
): void {
  const present = [
    ...given.keys(),
    ...(command.arguments ?? []).slice(0, rest.length).map(({ name }) => name),
  ];
  for (const { name, needs } of command.options ?? []) {
    if (!given.has(name) || needs === undefined) continue;
    if (needs.some((one) => present.includes(one))) continue;
    const wanted = needs.map((one) => (/^[A-Z]/.test(one) ? one : `--${one}`)).join(' or ');
    throw new UsageError(`--${name} needs ${wanted}. See \`mai ${nameOf(path)} --help\`.`);
  }
}

function checkChoice(spec: ArgumentSpec, value: string | undefined): void {
  if (value === undefined || spec.choices === undefined || spec.choices.includes(value)) return;
  throw new UsageError(
    `${spec.name} is ${alternatives(spec.choices)}, not ${JSON.stringify(value)}.` +
      suggestionFor(value, spec.choices),
  );
}

function alternatives(choices: readonly string[]): string {
  return choices.length === 1
    ? (choices[0] ?? '')
    : `${choices.slice(0, -1).join(', ')} or ${choices.at(-1) ?? ''}`;
}
