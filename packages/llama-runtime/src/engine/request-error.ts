/** A request that the engine refuses or cannot answer. Each protocol writes it in its own form. */
export class RequestError extends Error {
  /** HTTP status. */
  readonly status: number;
  /** OpenAI's code, for example `context_length_exceeded`; null without one. */
  readonly code: string | null;
  /** Name of the field that is wrong; null where no single field is. */
  readonly param: string | null;

  constructor(
    status: number,
    message: string,
    { code = null, param = null }: { code?: string | null; param?: string | null } = {},
  ) {
    super(message);
    this.name = 'RequestError';
    this.status = status;
    this.code = code;
    this.param = param;
  }
}

/** A field of the request has a wrong value. */
export function invalidField(param: string, problem: string): RequestError {
  return new RequestError(400, `'${param}' ${problem}`, { code: 'invalid_value', param });
}

/** The engine cannot do what the request asks for. */
export function notSupported(message: string, param: string | null = null): RequestError {
  return new RequestError(501, message, { code: 'not_supported', param });
}

/** llama.cpp failed. The binding gives an `Error` or a text. */
export function engineFailed(error: unknown): RequestError {
  const text = typeof error === 'string' ? error : JSON.stringify(error);
  const reason = error instanceof Error ? error.message : text;
  return new RequestError(500, `llama.cpp failed: ${reason}`, { code: 'engine_failed' });
}
