import type { IncomingMessage } from 'node:http';
import { Duplex, pipeline, type Readable } from 'node:stream';
import * as zlib from 'node:zlib';
import { isJsonObject, type JsonObject } from '../../json.js';
import { departed } from '../../upstream/departed.js';
import { hasMoreValues } from '../../protocols/json-values.js';
import { sizeText, type BodyShare } from './body-memory.js';
import { RequestRefusal } from './request-refusal.js';

const QUOTED_MAX = 100;

/**
 * Reads the whole body of a request, decompressed.
 *
 * @param maxBytes - bound for the bytes after decompression
 * @param share - counts the bytes from now on. The caller ends it when it keeps the body no longer
 * @throws RequestRefusal `too_large`, `invalid_request` for a broken or unknown compression, `queue_full` where the bodies of all requests
 *   take too much memory; the connection's error
 */
export function readBody(
  request: IncomingMessage,
  maxBytes: number,
  share: BodyShare,
): Promise<Buffer> {
  // A destroyed request emits no further events, so the promise below would never settle.
  if (request.destroyed && !request.readableEnded) return Promise.reject(departed());
  const length = Number(request.headers['content-length'] ?? 0);
  if (length > maxBytes) return Promise.reject(tooLarge(maxBytes));
  // Before the client sends it all.
  const full = share.refusalOf(length);
  if (full !== null) return Promise.reject(full);
  return new Promise((resolve, reject) => {
    // Inside the promise, so that the exception for an unknown compression becomes a rejection.
    const source = decoded(request);
    let chunks: Buffer[] = [];
    let bytes = 0;
    const refuse = (refusal: RequestRefusal): void => {
      // The rest is read and dropped. Otherwise the client could not read the answer before it has sent everything.
      source.removeAllListeners('data');
      source.resume();
      // Reading the rest may take minutes.
      chunks = [];
      bytes = 0;
      reject(refusal);
    };
    // Events, because an async iterator costs a fifth of a small request's CPU time.
    source.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      const refusal = bytes > maxBytes ? tooLarge(maxBytes) : share.add(chunk.length);
      if (refusal === null) chunks.push(chunk);
      else refuse(refusal);
    });
    // Listeners that may stay: a listener for one time costs a wrapper and its removal.
    source.on('end', () => {
      const [only] = chunks;
      const whole = chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, bytes);
      resolve(withoutMark(whole));
    });
    source.on('error', (error) => reject(source === request ? error : notDecompressed(error)));
    request.on('close', () => {
      if (!request.complete) reject(departed());
    });
  });
}

function notDecompressed(cause: Error): RequestRefusal {
  return new RequestRefusal(
    'invalid_request',
    400,
    'The body could not be decompressed. Send it without Content-Encoding.',
    { cause },
  );
}

/**
 * Maximum number of values of a body: each takes up to a hundred bytes of memory. Clients send many values only as lists of tokens, and OpenAI takes
 * 300,000 tokens of a request for embeddings.
 */
const VALUES_MAX = 2_000_000;

/**
 * Parses a body that must be a JSON object, whose `model` is a text, null or absent.
 *
 * @throws RequestRefusal `invalid_request`; `too_large` for too many values
 */
export function parseBody(body: Buffer): JsonObject {
  if (body.length > VALUES_MAX && hasMoreValues(body, VALUES_MAX)) {
    throw new RequestRefusal(
      'too_large',
      413,
      `The body has more than ${VALUES_MAX} values, which is the gateway's limit. Send less, such as fewer inputs at a time.`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch (error) {
    throw new RequestRefusal('invalid_request', 400, 'The body is not valid JSON.', {
      cause: error,
    });
  }
  if (!isJsonObject(value))
    throw new RequestRefusal('invalid_request', 400, 'The body must be a JSON object.');
  const model = value['model'] ?? null;
  if (model === null || typeof model === 'string') return value;
  // In OpenAI's words. A model's name of another type has no meaning, so it is not taken for an absent one.
  throw new RequestRefusal(
    'invalid_request',
    400,
    `Invalid type for 'model': expected a string, but got ${typeName(model)} instead.`,
  );
}

/** The name of a JSON value's type with its article. */
function typeName(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** A body without the byte order mark with which some programs of Windows begin a text. */
function withoutMark(body: Buffer): Buffer {
  return body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? body.subarray(3) : body;
}

function decoded(request: IncomingMessage): Readable {
  const encoding = request.headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  switch (encoding) {
    case '':
    case 'identity':
      return request;
    case 'gzip':
    case 'x-gzip':
      return unpack(request, zlib.createGunzip());
    case 'deflate':
      return unpack(request, zlib.createInflate());
    case 'br':
      return unpack(request, zlib.createBrotliDecompress());
    case 'zstd':
      return unpack(request, createZstdDecompress());
    default:
      throw new RequestRefusal(
        'invalid_request',
        415,
        `The gateway cannot read Content-Encoding ${JSON.stringify(encoding.slice(0, QUOTED_MAX))}. Send the body as gzip, deflate or br, or uncompressed.`,
      );
  }
}

/** Node has zstd from 22.15 on. Codex compresses with it where its provider is named OpenAI. */
function createZstdDecompress(): Duplex {
  const create: unknown = 'createZstdDecompress' in zlib ? zlib.createZstdDecompress : null;
  const stream: unknown = typeof create === 'function' ? Reflect.apply(create, zlib, []) : null;
  if (stream instanceof Duplex) return stream;
  throw new RequestRefusal(
    'invalid_request',
    415,
    `The gateway cannot read Content-Encoding "zstd" on Node ${process.versions.node}; Node 22.15 and later can. Send the body as gzip or uncompressed. For Codex, set features.enable_request_compression to false.`,
  );
}

function unpack(request: IncomingMessage, decompress: Duplex): Readable {
  // The reader of the result receives every error of the pipeline.
  return pipeline(request, decompress, () => undefined);
}

function tooLarge(maxBytes: number): RequestRefusal {
  return new RequestRefusal(
    'too_large',
    413,
    `The body is larger than ${sizeText(maxBytes)}, which is the gateway's limit. Send less, such as fewer messages or smaller files.`,
  );
}
