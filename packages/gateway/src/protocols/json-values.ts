import { endOfString } from './replace-model.js';

const QUOTE = 0x22;
const [COMMA, OPEN_LIST, OPEN_OBJECT] = [0x2c, 0x5b, 0x7b];

/**
 * Whether a JSON text has more than `most` values, before it is parsed. Counts what precedes a value, a comma or a bracket, outside of
 * strings. A text that is not JSON gets any answer.
 */
export function hasMoreValues(json: Buffer, most: number): boolean {
  let count = 0;
  let at = 0;
  while (at < json.length && count <= most) {
    const byte = json[at];
    if (byte === QUOTE) {
      at = endOfString(json, at);
      continue;
    }
    if (byte === COMMA || byte === OPEN_LIST || byte === OPEN_OBJECT) count += 1;
    at += 1;
  }
  return count > most;
}
