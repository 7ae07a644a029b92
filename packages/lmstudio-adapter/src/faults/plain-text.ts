// eslint-disable-next-line no-control-regex -- removes ANSI escapes
const ANSI = /\u001b\[[0-9;?]*[ -/]*[@-~]/g;
/** Lines and corners of the boxes that the SDK and LM Studio draw around their messages. */
const BOX = /[\u2500-\u257f]+/g;
/** A suggestion, up to the next heading. It is dropped, because the messages of this package say what to do next. */
const SUGGESTION = /\(!\) SUGGESTION\b[\s\S]*?(?=\([Xi]\) (?:CAUSE|INFO)\b|$)/g;
/** Headings before the parts of a message, e.g. `(X) CAUSE`. */
const HEADING = /\([Xi]\) (?:CAUSE|INFO)\b:?/g;

/**
 * A message of the SDK or of LM Studio in one line: without colours, boxes, headings and suggestion.
 * A line that does not end a sentence gets a full stop, unless the next line continues the sentence.
 */
export function plainText(message: string): string {
  const lines = message
    .replace(ANSI, '')
    .replace(SUGGESTION, '')
    .replace(BOX, '\n')
    .replace(HEADING, '\n')
    .split(/\n(?:\s*\n)*/)
    .map((line) => line.replace(/\s+/g, ' ').trim())
    .filter((line) => line !== '');
  return lines.reduce((joined, line) => {
    const ended = /[.!?:;,]$/.test(joined) || /^[a-z(]/.test(line);
    return joined === '' ? line : `${joined}${ended ? ' ' : '. '}${line}`;
  }, '');
}
