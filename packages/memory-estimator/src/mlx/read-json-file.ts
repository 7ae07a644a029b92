import { isJsonObject, type JsonObject } from '../files/json-object.js';
import { ModelFileError } from '../gguf/model-file-error.js';
import { openFile } from '../gguf/bytes/byte-source.js';

/**
 * Reads a JSON object from a file.
 *
 * @param mostBytes A longer file is refused without reading it.
 * @throws ModelFileError FILE_NOT_FOUND, FILE_UNREADABLE or CORRUPT.
 */
export function readJsonFile(path: string, mostBytes: number): JsonObject {
  const source = openFile(path);
  try {
    const sizeBytes = source.sizeBytes ?? 0;
    if (sizeBytes > mostBytes) {
      throw new ModelFileError(
        'CORRUPT',
        `${path} has ${sizeBytes} bytes, and no model needs more than ${mostBytes}. Download it again.`,
        { path, reason: `it has ${sizeBytes} bytes, and no model needs more than ${mostBytes}` },
      );
    }
    const bytes = new Uint8Array(sizeBytes);
    const count = source.read(bytes, 0);
    return parseJsonObject(bytes.subarray(0, Number(count)), path, null);
  } finally {
    source.close();
  }
}

/**
 * Parses bytes as a JSON object.
 *
 * @param offsetBytes Where the bytes begin in the file; `null` for the whole file.
 * @throws ModelFileError CORRUPT.
 */
export function parseJsonObject(
  bytes: Uint8Array,
  path: string,
  offsetBytes: number | null,
): JsonObject {
  let value: unknown;
  try {
    value = parsePythonJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new ModelFileError('CORRUPT', `${path} does not contain valid JSON. Download it again.`, {
      path,
      offsetBytes,
      reason: 'it does not contain valid JSON',
      cause,
    });
  }
  if (!isJsonObject(value)) {
    throw new ModelFileError(
      'CORRUPT',
      `${path} does not contain a JSON object. Download it again.`,
      { path, offsetBytes, reason: 'it does not contain a JSON object' },
    );
  }
  return value;
}

/**
 * Parses JSON as Python writes it: numbers can be NaN or Infinity, which become `null`. For example, the config.json of
 * Nemotron-H has `"time_step_limit": [0.0, Infinity]`.
 */
function parsePythonJson(text: string): unknown {
  if (!/NaN|Infinity/.test(text)) return JSON.parse(text);
  const tokens = /"(?:[^"\\]|\\.)*"|-?Infinity\b|\bNaN\b/g;
  return JSON.parse(text.replace(tokens, (token) => (token.startsWith('"') ? token : 'null')));
}

/** A field that is a whole number above zero; `null` for any other value. */
export function countIn(object: JsonObject, ...names: readonly string[]): number | null {
  for (const name of names) {
    const value = object[name];
    if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0 && value <= LARGEST)
      return value;
  }
  return null;
}

/**
 * More than any dimension, window or context of a model. Below this bound, products of dimensions are exact
 * numbers.
 */
const LARGEST = 2 ** 30;
