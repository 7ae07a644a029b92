import { RequestError } from '../request-error.js';

/** llama.cpp's MAX_REPETITION_THRESHOLD (llama-grammar.cpp): a larger repetition ends the whole process. */
const MOST_REPETITIONS = 2000;
const FREE_TEXT = /(?:until-\d+\??|\(until-\d+\)\??) (?:space )?(?=tool-call(?:s|-root)?\b)/;

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
 * llama.cpp's grammar of an answer for a prompt that ends with `generationPrompt`: it no longer asks for this end, and has no free
 * text before the calls where calls are required, so that the answer begins with a call.
 *
 * Where it gets its own grammar, llama.cpp checks the end of the prompt against it, and ends the whole process at a token that ends
 * an answer. The template of Qwen 1.5 has one there.
 *
 * @returns null where the grammar has no such text, so that llama.cpp's own grammar is used
 */
export function answerGrammar(
  grammar: string,
  generationPrompt: string,
  { callsOnly }: { readonly callsOnly: boolean },
): string | null {
  const rules = grammar.split('\n');
  const index = rules.findIndex((rule) => rule.startsWith('root ::='));
  const root = rules[index];
  if (root === undefined) return null;
  const start = generationPrompt === '' ? '' : `${literal(generationPrompt)} `;
  if (!root.includes(start)) return null;
  const rest = root.replace(start, () => '');
  const answer = callsOnly ? rest.replace(FREE_TEXT, '') : rest;
  return answer === root ? null : rules.with(index, answer).join('\n');
}

/**
 * The grammar of a response format alone. llama.cpp's root also allows a fence of Markdown around it, which the parser of another
 * template does not take off.
 *
 * @returns null where the grammar has no rule for a response format
 */
export function formatGrammar(grammar: string): string | null {
  const rules = grammar.split('\n');
  const index = rules.findIndex((rule) => rule.startsWith('root ::='));
  const hasFormat = rules.some((rule) => rule.startsWith('response-format ::='));
  return hasFormat ? rules.with(index, 'root ::= response-format').join('\n') : null;
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
