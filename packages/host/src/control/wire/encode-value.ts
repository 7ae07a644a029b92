import { isRecord } from '../../guards.js';

/**
 * The values are JSON with two additions: errors keep their class, code, message and facts, and numbers may be
 * infinite. An error or an infinite number is written as an object with one of these keys.
 */
const ERROR_TAG = '@mai/error';
const NUMBER_TAG = '@mai/number';

/** Maximum number of nested causes that are written with an error. */
const CAUSES_MAX = 4;

/** Writes a value as one line of JSON. */
export function encodeValue(value: unknown): string {
  return JSON.stringify(value, replace);
}

/** Reads what `encodeValue` wrote. @throws SyntaxError where the text is not JSON. */
export function decodeValue(text: string): unknown {
  return JSON.parse(text, revive);
}

function replace(_key: string, value: unknown): unknown {
  if (isError(value)) return { [ERROR_TAG]: describeError(value, CAUSES_MAX) };
  if (typeof value === 'number' && !Number.isFinite(value)) return { [NUMBER_TAG]: String(value) };
  return value;
}

function revive(_key: string, value: unknown): unknown {
  if (!isRecord(value)) return value;
  if (NUMBER_TAG in value) return Number(value[NUMBER_TAG]);
  const error = value[ERROR_TAG];
  return isRecord(error) ? reviveError(error) : value;
}

const ERROR_TAGS: readonly string[] = ['[object Error]', '[object DOMException]'];

/** True also for an error of another realm, for which `instanceof` is false. */
function isError(value: unknown): value is Error {
  return value instanceof Error || ERROR_TAGS.includes(Object.prototype.toString.call(value));
}

/**
 * The brand of an error. Each package marks its errors with `Symbol.for('@mai/PACKAGE/CLASS')`, and its type guard
 * checks only this mark.
 */
function brandOf(error: Error): string | null {
  for (const symbol of Object.getOwnPropertySymbols(error)) {
    const key = Symbol.keyFor(symbol);
    if (key?.startsWith('@mai/') === true) return key;
  }
  return null;
}

function describeError(error: Error, causesLeft: number): object {
  const { name, message, cause } = error;
  const own = Object.entries(error).filter(([key]) => key !== 'name' && key !== 'cause');
  return {
    name,
    message,
    brand: brandOf(error),
    facts: Object.fromEntries(own),
    cause:
      isError(cause) && causesLeft > 0
        ? { [ERROR_TAG]: describeError(cause, causesLeft - 1) }
        : null,
  };
}

function reviveError({
  name,
  message,
  brand,
  facts,
  cause,
}: Readonly<Record<string, unknown>>): Error {
  const text = typeof message === 'string' ? message : '';
  // `JSON.parse` revives inner values first, so a cause is already an error here.
  const options = isError(cause) ? { cause } : undefined;
  if (name === 'AbortError' || name === 'TimeoutError') return new DOMException(text, name);
  const error = name === 'TypeError' ? new TypeError(text, options) : new Error(text, options);
  if (typeof name === 'string') {
    Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true });
  }
  if (isRecord(facts)) {
    for (const [key, value] of Object.entries(facts)) {
      if (key === 'stack' || key === 'message') continue;
      Object.defineProperty(error, key, { value, enumerable: true });
    }
  }
  if (typeof brand === 'string' && brand.startsWith('@mai/')) {
    Object.defineProperty(error, Symbol.for(brand), { value: true });
  }
  return error;
}
