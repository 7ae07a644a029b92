import { type CommandSpec, type OptionSpec, visibleOf } from '../arguments/command-spec.js';
import { argumentWords, flattenCommands, optionWords, type Words } from './words.js';

/** A fish completion script for `mai completions fish | source`. */
export function fishCompletions(
  commands: readonly CommandSpec[],
  globals: readonly OptionSpec[],
): string {
  const lines = [
    '# fish completions for mai',
    'complete -c mai -f',
    ...visibleOf(commands).map(
      ({ name, summary }) =>
        `complete -c mai -n __fish_use_subcommand -a ${name} -d ${quote(summary)}`,
    ),
    ...globals.map((option) => optionLine(null, option)),
    ...flattenCommands(commands).flatMap(({ path, spec }) => commandLines(path, spec)),
  ];
  return `${lines.join('\n')}\n`;
}

function commandLines(path: string, spec: CommandSpec): string[] {
  const seen = path
    .split(' ')
    .map((word) => `__fish_seen_subcommand_from ${word}`)
    .join('; and ');
  const names = (spec.subcommands ?? []).map(({ name }) => name);
  const open = `${seen}; and not __fish_seen_subcommand_from ${names.join(' ')}`;
  const argument = offer(spec.subcommands === undefined ? argumentWords(spec) : { kind: 'none' });
  return [
    ...(spec.subcommands ?? []).map(
      ({ name, summary }) => `complete -c mai -n ${quote(open)} -a ${name} -d ${quote(summary)}`,
    ),
    ...(spec.options ?? []).map((option) => optionLine(seen, option)),
    ...(argument === '' ? [] : [`complete -c mai -n ${quote(seen)}${argument}`]),
  ];
}

function optionLine(condition: string | null, option: OptionSpec): string {
  return [
    'complete -c mai',
    condition === null ? '' : ` -n ${quote(condition)}`,
    ` -l ${option.name}`,
    option.short === undefined ? '' : ` -s ${option.short}`,
    option.value === undefined ? '' : ` -r${offer(optionWords(option))}`,
    ` -d ${quote(option.summary)}`,
  ].join('');
}

function offer(words: Words): string {
  switch (words.kind) {
    case 'none':
      return '';
    case 'words':
      return ` -a ${quote(words.words.join(' '))}`;
    case 'files':
      return ' -F';
    case 'names':
      return ` -a ${quote(`(mai complete ${words.what} 2>/dev/null)`)}`;
  }
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
