const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const COMMA = 0x2c;
const KEY = Buffer.from('"model"');
const ESCAPED = Buffer.from(String.raw`\u`);

/** A part of a buffer, from `start` (included) to `end` (excluded). */
interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Puts another name into the `model` of a JSON object, and changes no other byte: numbers keep their digits, keys their
 * order. Where the key stands several times, each is replaced, because parsers differ in which one counts. Where it is
 * absent, it is inserted first.
 *
 * @param body - a JSON object that `JSON.parse` accepts, in UTF-8
 * @param hasModel - whether the object is known to have the key. Then most bodies need no scan. Default: not known.
 */
export function replaceModel(body: Buffer, model: string, hasModel = false): Buffer {
  const name = Buffer.from(JSON.stringify(model));
  const open = body.indexOf(OPEN_OBJECT);
  const only = hasModel ? onlyModelValue(body, open) : null;
  if (only !== null) return replaceOne(body, only, name);
  const spans = modelValues(body, open + 1);
  const pieces: Buffer[] = [];
  let at = 0;
  for (const { start, end } of spans) {
    pieces.push(body.subarray(at, start), name);
    at = end;
  }
  if (spans.length === 0) {
    const isEmpty = body[skipSpace(body, open + 1)] === CLOSE_OBJECT;
    pieces.push(body.subarray(0, open + 1), Buffer.from('"model":'), name);
    if (!isEmpty) pieces.push(Buffer.from(','));
    at = open + 1;
  }
  pieces.push(body.subarray(at));
  return Buffer.concat(pieces);
}

/** Most bodies: one copy, without a list of pieces. */
function replaceOne(body: Buffer, { start, end }: Span, name: Buffer): Buffer {
  const replaced = Buffer.allocUnsafe(body.length - (end - start) + name.length);
  body.copy(replaced, 0, 0, start);
  name.copy(replaced, start);
  body.copy(replaced, start + name.length, end);
  return replaced;
}

/**
 * The value of the top-level key `model` of an object that has this key; `null`: a scan must find it. Without an escape
 * such as `\\u006d`, the key has exactly these bytes. So where they stand once, they are the key.
 */
function onlyModelValue(body: Buffer, from: number): Span | null {
  const key = body.indexOf(KEY, from);
  if (key === -1 || body.includes(KEY, key + KEY.length) || body.includes(ESCAPED)) return null;
  return valueAfter(body, key + KEY.length);
}

/** The value of a key that ends before `keyEnd`. */
function valueAfter(body: Buffer, keyEnd: number): Span {
  // The colon, with space around it.
  const start = skipSpace(body, skipSpace(body, keyEnd) + 1);
  return { start, end: endOfValue(body, start) };
}

/** The values of the top-level key `model`. */
function modelValues(body: Buffer, from: number): readonly Span[] {
  const found: Span[] = [];
  let at = skipSpace(body, from);
  while (at < body.length && body[at] === QUOTE) {
    const keyEnd = endOfString(body, at);
    const isModel = isModelKey(body, at, keyEnd);
    const value = valueAfter(body, keyEnd);
    if (isModel) found.push(value);
    at = skipSpace(body, value.end);
    if (body[at] === COMMA) at = skipSpace(body, at + 1);
  }
  return found;
}

function isModelKey(body: Buffer, start: number, end: number): boolean {
  const key = body.toString('utf8', start, end);
  // An escaped key, such as "\u006dodel", is the same key.
  return key === '"model"' || (key.includes('\\') && JSON.parse(key) === 'model');
}

/** The index behind a value that starts at `start`. */
function endOfValue(body: Buffer, start: number): number {
  const first = body[start];
  if (first === QUOTE) return endOfString(body, start);
  if (first !== OPEN_OBJECT && first !== OPEN_LIST) return endOfLiteral(body, start);
  let depth = 0;
  let at = start;
  while (at < body.length) {
    const byte = body[at];
    if (byte === QUOTE) {
      at = endOfString(body, at);
      continue;
    }
    if (byte === OPEN_OBJECT || byte === OPEN_LIST) depth += 1;
    else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) depth -= 1;
    at += 1;
    if (depth === 0) return at;
  }
  return at;
}

/** The index behind a number, `true`, `false` or `null`. */
function endOfLiteral(body: Buffer, start: number): number {
  let at = start;
  while (at < body.length && body[at] !== COMMA && body[at] !== CLOSE_OBJECT && !isSpace(body[at]))
    at += 1;
  return at;
}

/** The index behind the closing quote of a string that starts at `start`. Jumps from quote to quote, as pictures are long. */
export function endOfString(body: Buffer, start: number): number {
  let at = body.indexOf(QUOTE, start + 1);
  while (at !== -1) {
    let escapes = 0;
    while (body[at - 1 - escapes] === BACKSLASH) escapes += 1;
    if (escapes % 2 === 0) return at + 1;
    at = body.indexOf(QUOTE, at + 1);
  }
  return body.length;
}

function skipSpace(body: Buffer, from: number): number {
  let at = from;
  while (isSpace(body[at])) at += 1;
  return at;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
