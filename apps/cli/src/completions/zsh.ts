import { type CommandSpec, type OptionSpec, visibleOf } from '../arguments/command-spec.js';
import {
  argumentWords,
  flagsOf,
  flattenCommands,
  optionWords,
  valueOptions,
  type Words,
} from './words.js';

/** A zsh completion script. Source it, or put it into `$fpath` as `_mai`. */
export function zshCompletions(
  commands: readonly CommandSpec[],
  globals: readonly OptionSpec[],
): string {
  const flat = flattenCommands(commands);
  return `#compdef mai
# zsh completions for mai
_mai() {
  local at="" next word prev="\${words[CURRENT-1]}"
  local -a offers
  for word in "\${(@)words[2,CURRENT-1]}"; do
    next="\${at:+$at }$word"
    case "$next" in
      (${flat.map(({ path }) => `'${path}'`).join('|')}) at="$next" ;;
    esac
  done
  case "$prev" in
${valueOptions(commands, globals)
  .map((option) => `    (${flagsOf(option).join('|')}) ${offer(optionWords(option))}; return ;;`)
  .join('\n')}
  esac
  if [[ "\${words[CURRENT]}" == -* ]]; then
    case "$at" in
${flat.map(({ path, spec }) => `      ('${path}') ${describeOptions([...(spec.options ?? []), ...globals])} ;;`).join('\n')}
      (*) ${describeOptions(globals)} ;;
    esac
    return
  fi
  case "$at" in
    ('') ${describeCommands(commands)} ;;
${flat
  .map(
    ({ path, spec }) =>
      `    ('${path}') ${spec.subcommands === undefined ? offer(argumentWords(spec)) : describeCommands(spec.subcommands)} ;;`,
  )
  .join('\n')}
  esac
}
if [[ "\${funcstack[1]}" == "_mai" ]]; then _mai "$@"; else compdef _mai mai; fi
`;
}

function offer(words: Words): string {
  switch (words.kind) {
    case 'none':
      return ':';
    case 'words':
      return `compadd -- ${words.words.join(' ')}`;
    case 'files':
      return '_files';
    case 'names':
      return `compadd -- \${(f)"$(mai complete ${words.what} 2>/dev/null)"}`;
  }
}

function describeCommands(commands: readonly CommandSpec[]): string {
  return describe(
    'command',
    visibleOf(commands).map(({ name, summary }) => [name, summary]),
  );
}

function describeOptions(options: readonly OptionSpec[]): string {
  return describe(
    'option',
    options.flatMap((option) => flagsOf(option).map((flag) => [flag, option.summary] as const)),
  );
}

function describe(tag: string, offers: readonly (readonly [string, string])[]): string {
  // In these arrays a colon separates the word from its description.
  const words = offers.map(
    ([word, text]) => `'${word}:${text.replaceAll("'", "'\\''").replaceAll(':', '\\:')}'`,
  );
  return `offers=(${words.join(' ')}); _describe -t ${tag}s '${tag}' offers`;
}
