import { codeOf, messageOf } from '../error-facts.js';

/** A request of the control API that is answered with an error. */
export class ControlFailure extends Error {
  override readonly name = 'ControlFailure';

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The HTTP status of each error of a machine whose message helps the caller. */
const STATUSES: ReadonlyMap<string, number> = new Map([
  ['INVALID_REQUEST', 400],
  ['MODEL_NOT_FOUND', 404],
  ['INSTANCE_NOT_FOUND', 404],
  ['FILE_NOT_FOUND', 404],
  ['LOAD_REFUSED', 409],
  ['NOTHING_FITS', 409],
  ['CONFIG_NOT_FOUND', 409],
  ['CONFIG_INVALID', 409],
  ['NOT_GGUF', 422],
  ['CORRUPT', 422],
  ['UNSUPPORTED_VERSION', 422],
  ['FILE_UNREADABLE', 422],
  ['UNAUTHORIZED', 502],
  ['INCOMPATIBLE', 502],
  ['LOAD_FAILED', 502],
  ['ENGINE_CRASHED', 502],
  ['AUTOPILOT_INCOMPATIBLE', 502],
  ['UNREACHABLE', 503],
  ['SERVER_OFF', 503],
  ['JOURNAL_UNUSABLE', 503],
  ['AUTOPILOT_LOST', 503],
  ['AUTOPILOT_BUSY', 503],
  ['PROBE_FAILED', 503],
  ['TIMED_OUT', 504],
  ['LOAD_TIMED_OUT', 504],
  ['PROBE_TIMED_OUT', 504],
]);

/** The answer to a call that threw. The text of an unexpected error stays on this machine. */
export function failureFor(error: unknown): ControlFailure {
  if (error instanceof ControlFailure) return error;
  const code = codeOf(error);
  const status = code === null ? undefined : STATUSES.get(code);
  if (code === null || status === undefined) {
    return new ControlFailure(
      500,
      'INTERNAL',
      'The gateway could not answer because of a fault of its own. Its log has the details.',
      {},
      { cause: error },
    );
  }
  return new ControlFailure(status, code, messageOf(error), {}, { cause: error });
}

/** A request that names something that does not exist. */
export function notFound(code: string, message: string): ControlFailure {
  return new ControlFailure(404, code, message);
}
