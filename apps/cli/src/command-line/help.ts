import { wrap } from '@mai/host';
import { EXIT, type ExitCode } from '../exit-codes.js';
import type { Style } from '../terminal/style.js';
import { type CommandSpec, type OptionSpec, visibleOf } from '../arguments/command-spec.js';
import { COMMANDS } from './command-table.js';
import { GLOBAL_OPTIONS } from './global-options.js';
import { nameOf } from './parse-command-line.js';

/** The meaning of each exit code. The README has the same texts. */
const EXIT_CODES: Readonly<Record<ExitCode, string>> = {
  [EXIT.success]: 'success, also if the runtime is off but the command can answer without it',
  [EXIT.bug]: 'a bug in mai',
  [EXIT.usage]:
    'wrong usage or configuration, or a limit on address space (`ulimit -v`) that is too low',
  [EXIT.nothingFits]: 'nothing fits',
  [EXIT.lmStudioUnavailable]:
    'LM Studio does not answer or refuses the token, or the embedded engine cannot keep a model',
  [EXIT.lmStudioRefused]: 'a model could not be found, loaded or unloaded',
  [EXIT.probe]: 'this machine could not be read',
  [EXIT.modelFile]: 'a model file could not be read',
  [EXIT.autopilot]: 'the journal of the autopilot is unusable, or another autopilot runs',
  [EXIT.fault]:
    '`mai doctor` found a fault, `mai replay` a difference, `mai connect --test` a failed request',
  [EXIT.gateway]: '`mai serve` cannot listen on its address, or a fault of the fleet',
  [EXIT.outputFailed]:
    'the system refused a file, or the output could not be written, for example on a full disk',
  [EXIT.hungUp]: 'the terminal was closed (SIGHUP)',
  [EXIT.interrupted]: 'interrupted (Ctrl-C, SIGINT)',
  [EXIT.terminated]: 'terminated (SIGTERM)',
};

const FIRST_STEP = 'Start with `mai status`, or with `mai demo`, which needs no LM Studio.';

/** The help text of `mai` (an empty path) or of one command, wrapped to `width`. */
export function renderHelp(path: readonly CommandSpec[], style: Style, width: number): string {
  const command = path.at(-1);
  const level = command === undefined ? COMMANDS : command.subcommands;
  const optionRows = (options: readonly OptionSpec[]) =>
    options.map((option) => [optionLabel(option), optionSummary(option)] as const);

  const sections = [
    wrap(
      command === undefined
        ? 'mai loads the best local model that fits this machine, and switches when memory changes.'
        : `mai ${nameOf(path)}: ${command.summary}`,
      width,
    ).join('\n'),
    section('Usage', [[`mai ${usage(path)}`, '']], style, width),
    section(
      'Commands',
      visibleOf(level ?? []).map(({ name, summary }) => [name, summary]),
      style,
      width,
    ),
    section(
      'Arguments',
      (command?.arguments ?? []).map(({ name, summary }) => [name.replace('...', ''), summary]),
      style,
      width,
    ),
    section('Options', optionRows(command?.options ?? []), style, width),
    command === undefined || command.subcommands !== undefined
      ? section('Global options', optionRows(GLOBAL_OPTIONS), style, width)
      : `${style.dim('Global options: see `mai --help`.')}\n`,
    section('Examples', command?.examples ?? [], style, width),
    command === undefined ? section('Exit codes', Object.entries(EXIT_CODES), style, width) : '',
    command === undefined ? wrap(FIRST_STEP, width).join('\n') : '',
  ];
  return `${sections
    .filter((text) => text !== '')
    .map((text) => text.trimEnd())
    .join('\n\n')}\n`;
}

function usage(path: readonly CommandSpec[]): string {
  const command = path.at(-1);
  if (command === undefined) return 'COMMAND [options]';
  if (command.subcommands !== undefined) return `${nameOf(path)} COMMAND [options]`;
  const words = (command.arguments ?? []).map(({ name, required }) =>
    required ? name : `[${name}]`,
  );
  return [nameOf(path), ...words, '[options]'].join(' ');
}

function optionLabel({ name, short, value }: OptionSpec): string {
  return `${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`;
}

function optionSummary({ summary, choices, value }: OptionSpec): string {
  return choices === undefined || choices.join('|') === value
    ? summary
    : `${summary}: ${choices.join(', ')}`;
}

const MAX_LABEL_WIDTH = 28;

function section(
  title: string,
  rows: readonly (readonly [label: string, text: string])[],
  style: Style,
  width: number,
): string {
  if (rows.length === 0) return '';
  const fitting = rows.map(([label]) => label.length).filter((size) => size <= MAX_LABEL_WIDTH);
  const column = Math.max(8, ...fitting) + 2;
  const lines = rows.flatMap(([label, text]) => {
    const [first = '', ...rest] = wrap(text, Math.max(20, width - column - 2));
    const indent = ' '.repeat(column + 2);
    return label.length > column - 2
      ? [`  ${style.bold(label)}`, ...[first, ...rest].map((line) => indent + line)]
      : [
          `  ${style.bold(label)}${' '.repeat(column - label.length)}${first}`.trimEnd(),
          ...rest.map((line) => indent + line),
        ];
  });
  return [style.heading(title), ...lines.filter((line) => line.trim() !== '')].join('\n');
}
