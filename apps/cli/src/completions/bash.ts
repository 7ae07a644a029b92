import { type CommandSpec, type OptionSpec, visibleOf } from '../arguments/command-spec.js';
import {
  argumentWords,
  flagsOf,
  flattenCommands,
  optionWords,
  valueOptions,
  type Words,
} from './words.js';

/** A bash completion script for `source <(mai completions bash)`. */
export function bashCompletions(
  commands: readonly CommandSpec[],
  globals: readonly OptionSpec[],
): string {
  const flat = flattenCommands(commands);
  return `# bash completions for mai
# Names and files are read line by line: compgen -W would expand a $(...) inside a name, and an unquoted
# $(...) would split names at spaces. mapfile is not used, because the bash of macOS does not have it.
_mai_names() {
  local name
  while IFS= read -r name; do
    if [[ "$name" == "$cur"* ]]; then COMPREPLY+=("$(printf '%q' "$name")"); fi
  done < <(mai complete "$1" 2>/dev/null)
}
_mai_files() {
  local name
  while IFS= read -r name; do COMPREPLY+=("$name"); done < <(compgen -f -- "$cur")
  compopt -o filenames 2>/dev/null
}
_mai() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" at="" i next
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    next="\${at:+$at }\${COMP_WORDS[i]}"
    case "$next" in
      ${flat.map(({ path }) => `'${path}'`).join(' | ')}) at="$next" ;;
    esac
  done
  case "$prev" in
${valueOptions(commands, globals)
  .map((option) => `    ${flagsOf(option).join(' | ')}) ${reply(optionWords(option))}; return ;;`)
  .join('\n')}
  esac
  if [[ "$cur" == -* ]]; then
    case "$at" in
${flat
  .map(
    ({ path, spec }) =>
      `      '${path}') ${replyWords([...(spec.options ?? []), ...globals].flatMap(flagsOf))} ;;`,
  )
  .join('\n')}
      *) ${replyWords(globals.flatMap(flagsOf))} ;;
    esac
    return
  fi
  case "$at" in
    '') ${replyWords(visibleNames(commands))} ;;
${flat.map(({ path, spec }) => `    '${path}') ${argumentReply(spec)} ;;`).join('\n')}
  esac
}
complete -F _mai mai
`;
}

function argumentReply(spec: CommandSpec): string {
  if (spec.subcommands !== undefined) return replyWords(visibleNames(spec.subcommands));
  return reply(argumentWords(spec));
}

function visibleNames(commands: readonly CommandSpec[]): string[] {
  return visibleOf(commands).map(({ name }) => name);
}

function reply(words: Words): string {
  switch (words.kind) {
    case 'none':
      return ':';
    case 'words':
      return replyWords(words.words);
    case 'files':
      return '_mai_files';
    case 'names':
      return `_mai_names ${words.what}`;
  }
}

function replyWords(words: readonly string[]): string {
  return `COMPREPLY=($(compgen -W '${words.join(' ')}' -- "$cur"))`;
}
