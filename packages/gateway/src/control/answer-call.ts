import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import { asSentence } from '../as-sentence.js';
import { shorten } from '../shorten.js';
import { BodyMemory } from '../server/request/body-memory.js';
import { readBody } from '../server/request/read-body.js';
import { RequestRefusal } from '../server/request/request-refusal.js';
import { ControlFailure, notFound } from './control-failure.js';
import { OPERATIONS, pathId, type Operation, type OperationName } from './openapi/operations.js';

/** Bodies of the control API are a few fields. */
const BODY_BYTES_MAX = 65_536;
/** Tens of thousands of usual calls. */
const ALL_BODIES_BYTES_MAX = 16 * 1_048_576;

/**
 * The memory for the bodies of all control calls of a gateway. Inference requests have their own memory, so that neither kind of request
 * can block the other. The bound holds before a key is checked: a body is read first where a client signs in.
 */
export function createCallMemory(): BodyMemory {
  return new BodyMemory(ALL_BODIES_BYTES_MAX, BODY_BYTES_MAX, 1);
}

/** The operation that a request names. */
export interface FoundOperation {
  readonly name: OperationName;
  readonly operation: Operation;
  /** The segment of `{id}`; empty without one. */
  readonly id: string;
}

const NAMES = Object.keys(OPERATIONS).filter((name): name is OperationName => name in OPERATIONS);

/**
 * Finds the operation of a method and a path.
 *
 * @throws ControlFailure 404 for an unknown path, 405 for another method
 */
export function findOperation(method: string, path: string): FoundOperation {
  const found = NAMES.flatMap((name): FoundOperation[] => {
    const operation: Operation = OPERATIONS[name];
    const id = matchPath(operation.path, path);
    return id === null ? [] : [{ name, operation, id }];
  });
  const asked = method === 'HEAD' ? 'GET' : method;
  const match = found.find(({ operation }) => operation.method === asked);
  if (match !== undefined) return match;
  if (found.length === 0) {
    throw notFound('NOT_FOUND', 'There is no such address. /api/mai/openapi.json lists them.');
  }
  const allow = found.map(({ operation }) => operation.method).join(', ');
  throw new ControlFailure(405, 'METHOD_NOT_ALLOWED', `Use ${allow} at this address.`, { allow });
}

/** The segment that `{id}` stands for, empty without one; null where the path does not match. */
function matchPath(pattern: string, path: string): string | null {
  if (!pattern.endsWith('/{id}')) return pattern === path ? '' : null;
  const prefix = pattern.slice(0, -'{id}'.length);
  if (!path.startsWith(prefix)) return null;
  const segment = path.slice(prefix.length);
  return /^[\w.%~-]{1,200}$/.test(segment) ? decode(segment) : null;
}

function decode(segment: string): string | null {
  try {
    const id = decodeURIComponent(segment);
    return pathId.safeParse(id).success ? id : null;
  } catch {
    return null;
  }
}

/** An operation with its function: reads and checks the parts of a request, and returns the answer. */
export type BoundOperation = (request: {
  readonly request: IncomingMessage;
  /** Where the body counts while it is read. */
  readonly bodies: BodyMemory;
  readonly search: string;
  readonly id: string;
  /** Fires when the client leaves. */
  readonly signal: AbortSignal;
}) => Promise<unknown>;

/** A call with its checked parts. */
export interface Call<Query, Body> {
  readonly query: Query;
  readonly body: Body;
  /** The segment of the path that `{id}` stands for; empty without one. */
  readonly id: string;
  readonly signal: AbortSignal;
}

/** Joins an operation and its function, whose types follow from the schemas. */
export function bindOperation<
  Query extends z.ZodObject,
  Body extends z.ZodObject,
  Answer extends z.ZodType,
>(
  operation: {
    readonly method: string;
    readonly query: Query;
    readonly body: Body;
    readonly answer: Answer;
  },
  run: (
    call: Call<z.output<Query>, z.output<Body>>,
  ) => Promise<DeepReadonly<z.output<Answer>>> | DeepReadonly<z.output<Answer>>,
): BoundOperation {
  return async ({ request, bodies, search, id, signal }) => {
    const query = parseQuery(operation.query, search);
    const body =
      operation.method === 'POST'
        ? await parseBody(operation.body, request, bodies)
        : parse(operation.body, {});
    return run({ query, body, id, signal });
  };
}

/** A type whose fields and elements cannot be assigned. */
export type DeepReadonly<Value> = Value extends object
  ? { readonly [Field in keyof Value]: DeepReadonly<Value[Field]> }
  : Value;

function parseQuery<Schema extends z.ZodObject>(schema: Schema, search: string): z.output<Schema> {
  const given = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(search)) {
    if (given.has(name)) throw invalid(`The parameter ${JSON.stringify(name)} is given twice.`);
    given.set(name, value);
  }
  return parse(schema, Object.fromEntries(given));
}

/**
 * Reads the body of a request.
 *
 * @throws ControlFailure 400, 413, 415; 503 where too many calls send at the same time
 */
export async function parseBody<Schema extends z.ZodObject>(
  schema: Schema,
  request: IncomingMessage,
  bodies: BodyMemory,
): Promise<z.output<Schema>> {
  const share = bodies.begin('');
  const bytes = await readBody(request, BODY_BYTES_MAX, share)
    .catch((error: unknown) => {
      throw error instanceof RequestRefusal ? refused(error) : error;
    })
    .finally(() => share.end());
  const [type = ''] = (request.headers['content-type'] ?? '').split(';');
  // A form of another site cannot send this type without asking first.
  if (bytes.length > 0 && type.trim().toLowerCase() !== 'application/json') {
    throw new ControlFailure(
      415,
      'INVALID_REQUEST',
      'Send the body as JSON, with Content-Type: application/json.',
    );
  }
  if (bytes.length === 0) return parse(schema, {});
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw invalid('The body is not JSON.', error);
  }
  return parse(schema, value);
}

function refused(refusal: RequestRefusal): ControlFailure {
  const { status, message, code, retryAfterSeconds } = refusal.failure;
  const headers: Record<string, string> =
    retryAfterSeconds === null ? {} : { 'retry-after': String(retryAfterSeconds) };
  const shown = code === 'queue_full' ? 'QUEUE_FULL' : 'INVALID_REQUEST';
  return new ControlFailure(status, shown, message, headers, { cause: refusal });
}

function parse<Schema extends z.ZodObject>(schema: Schema, value: unknown): z.output<Schema> {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  throw invalid(
    `The request is not valid. ${shorten(faults(error), FAULTS_MAX)} GET /api/mai/openapi.json describes it.`,
  );
}

/** Longest part of a message that names faults of a request. */
const FAULTS_MAX = 1000;

/** Each fault with the field that has it, as sentences. */
function faults({ issues }: z.ZodError): string {
  return issues
    .map(({ path, message }) => {
      const field = path.length === 0 ? '' : `${path.map(String).join('.')}: `;
      return asSentence(`${field}${message}`);
    })
    .join(' ');
}

function invalid(message: string, cause?: unknown): ControlFailure {
  return new ControlFailure(
    400,
    'INVALID_REQUEST',
    message,
    {},
    cause === undefined ? undefined : { cause },
  );
}
