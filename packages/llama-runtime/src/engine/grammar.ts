import { RequestError } from './request-error.js';

/** llama.cpp's MAX_REPETITION_THRESHOLD (llama-grammar.cpp): a larger repetition ends the whole process. */
const MOST_REPETITIONS = 2000;
const FREE_TEXT = /(?:until-\d+\??|\(until-\d+\)\??) (?=tool-calls?\b)/;

/**
 * Refuses a grammar that would make llama.cpp end the process.
 *
 * @param field - the request's field that the grammar was made from
 */
export function checkGrammar(grammar: string, field: string): void {
  if (grammar.split('\n').every((rule) => repetitionsOf(rule) < MOST_REPETITIONS)) return;
  throw new RequestError(
    400,
    `'${field}' has more repetitions (maxLength, maxItems, or {m,n} in a pattern) than llama.cpp's grammar allows, which is ${MOST_REPETITIONS - 1}`,
    { code: 'invalid_value', param: field },
  );
}

/**
 * A grammar of required tool calls without the free text that it allows before the first call, so that the answer
 * begins with the call. The prompt ends with `generationPrompt`, so the grammar must not ask for it again.
 *
 * @returns null where the grammar has no such text, so that llama.cpp's own grammar is used
 */
export function grammarOfCallsOnly(grammar: string, generationPrompt: string): string | null {
  const rules = grammar.split('\n');
  const index = rules.findIndex((rule) => rule.startsWith('root ::='));
  const root = rules[index];
  if (root === undefined || !FREE_TEXT.test(root)) return null;
  const start = `${literal(generationPrompt)} `;
  if (generationPrompt !== '' && !root.includes(start)) return null;
  const rest = generationPrompt === '' ? root : root.replace(start, () => '');
  return rules.with(index, rest.replace(FREE_TEXT, '')).join('\n');
}

/**
 * Upper bound of the rules that one repetition makes of its symbol, as llama.cpp's parser counts them: a group has the
 * rules of its inner repetitions and one for each name in it. Text in quotes and in character classes does not count.
 */
function repetitionsOf(rule: string): number {
  const plain = rule.replace(/"(?:\\.|[^"\\])*"/g, ' ').replace(/\[(?:\\.|[^\]\\])*\]/g, ' ');
  const groups: number[] = [];
  let last = 1;
  let largest = 1;
  for (const [token, min, max] of plain.matchAll(/\(|\)|\{(\d+)(?:,(\d*))?\}|[^(){}]+/g)) {
    if (token === '(') {
      groups.push(1);
    } else if (token === ')') {
      last = groups.pop() ?? 1;
      addTo(groups, last);
    } else if (min !== undefined) {
      last *= Math.max(1, Number(min), Number(max ?? 0));
      addTo(groups, last);
    } else {
      last = 1;
      addTo(groups, new Set(token.match(/[a-zA-Z][\w-]*/g)).size);
    }
    largest = Math.max(largest, last);
  }
  return largest;
}

function addTo(groups: number[], rules: number): void {
  const top = groups.pop();
  if (top !== undefined) groups.push(top + rules);
}

/** A string in the form of GBNF, as llama.cpp's `gbnf_format_literal` writes it. */
function literal(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\\\')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('"', '\\"');
  return `"${escaped}"`;
}
