import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { readBody } from '../server/read-body.js';
import { RequestRefusal } from '../server/request-refusal.js';
import { ControlFailure, notFound } from './control-failure.js';
import { OPERATIONS, type Operation, type OperationName } from './openapi/operations.js';

/** Bodies of the control API are a few fields. */
const BODY_BYTES_MAX = 65_536;

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
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}

/**
 * Reads the query of a request.
 *
 * @throws ControlFailure 400
 */
export function parseQuery(schema: z.ZodObject, search: URLSearchParams): unknown {
  const given: Record<string, unknown> = Object.create(null);
  for (const [name, value] of search) {
    if (name in given) throw invalid(`The parameter ${name} is given twice.`);
    given[name] = value;
  }
  return parse(schema, { ...given });
}

/**
 * Reads the body of a request.
 *
 * @throws ControlFailure 400, 413, 415
 */
export async function parseBody(schema: z.ZodObject, request: IncomingMessage): Promise<unknown> {
  const bytes = await readBody(request, BODY_BYTES_MAX).catch((error: unknown) => {
    if (!(error instanceof RequestRefusal)) throw error;
    const { status, message } = error.failure;
    throw new ControlFailure(status, 'INVALID_REQUEST', message, {}, { cause: error });
  });
  const [type = ''] = (request.headers['content-type'] ?? '').split(';');
  // A form of another site can't send this type without asking first.
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

function parse(schema: z.ZodObject, value: unknown): unknown {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  throw invalid(z.prettifyError(error).slice(0, 1000));
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
