// eslint-disable-next-line no-control-regex -- removes ANSI escapes
const ANSI = /\u001b\[[0-9;?]*[ -/]*[@-~]/g;
/** Lines and corners of the boxes that the SDK and LM Studio draw around their messages. */
const BOX = /[\u2500-\u257f]+/g;
/** Headings before the parts of a message, e.g. `(X) CAUSE`. */
const HEADING = /\((?:X|!|i)\) (?:CAUSE|SUGGESTION|INFO)\b:?/g;

/**
 * A message of the SDK or of LM Studio in one line: without colours, boxes and headings. Lines that
 * do not end a sentence are separated by full stops, unless the next one continues them.
 */
export function plainText(message: string): string {
  const lines = message
    .replace(ANSI, '')
    .replace(BOX, ' ')
    .split(/\n(?:\s*\n)*/)
    .map((line) => line.replace(HEADING, ' ').replace(/\s+/g, ' ').trim())
    .filter((line) => line !== '');
  return lines.reduce((joined, line) => {
    const ended = /[.!?:;,]$/.test(joined) || /^[a-z(]/.test(line);
    return joined === '' ? line : `${joined}${ended ? ' ' : '. '}${line}`;
  }, '');
}
