import { oneLine } from '@mai/memory-ledger';
import type { Failure, FailureAnswer, FailureCode, WaitProgress } from '../protocol.js';

/** The body that OpenAI documents for errors: https://platform.openai.com/docs/guides/error-codes/api-errors */
export function openAiError({ code, status, message }: Failure): object {
  const param = code === 'previous_response_not_found' ? 'previous_response_id' : null;
  return { error: { message, type: typeOf(status), param, code } };
}

/** The types that OpenAI's API sends with each status. */
function typeOf(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  return status >= 500 ? 'server_error' : 'invalid_request_error';
}

/** A failure as the answer to a request. */
export function openAiFailure(failure: Failure): FailureAnswer {
  return jsonAnswer(failure, openAiError(failure));
}

/** Failures that the same request would meet again. */
const POINTLESS: readonly FailureCode[] = ['nothing_fits', 'not_supported', 'internal'];

/** The clients of OpenAI and Anthropic send a request with a 5xx again, unless this header forbids it. */
export const NO_RETRY = { 'x-should-retry': 'false' } as const;

/** Whether a client that sends the same request again within a minute meets the same failure. */
function isPointless({ code, status, retryAfterSeconds }: Failure): boolean {
  if (code === 'load_failed') return retryAfterSeconds === null;
  // A runtime may refuse with 429 because it is busy. With a status from 500 on, it cannot do what the request asks for.
  if (code === 'refused') return status >= 500;
  return POINTLESS.includes(code);
}

/** An answer with a JSON body, and `Retry-After` where the failure has one. */
export function jsonAnswer(failure: Failure, body: object): FailureAnswer {
  const { status, retryAfterSeconds } = failure;
  return {
    status,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      ...(isPointless(failure) ? NO_RETRY : {}),
      ...(retryAfterSeconds === null ? {} : { 'retry-after': String(retryAfterSeconds) }),
    },
    body: JSON.stringify(body),
  };
}

/** The last event of a stream that fails. OpenAI's clients throw on it, and no `[DONE]` follows. */
export function openAiStreamFailure(failure: Failure): string {
  return `data: ${JSON.stringify(openAiError(failure))}\n\n`;
}

/**
 * A comment of server-sent events, which every client ignores. A line break would end it. No empty line follows, because the
 * packages of OpenAI for Go (openai/openai-go #621) and Python (openai/openai-python #2722) took a comment with one for an event
 * without data, and ended the stream.
 */
export function waitComment({ position, waitedMs, loading }: WaitProgress): string {
  const seconds = Math.round(waitedMs / 1000);
  const load =
    loading === null
      ? ''
      : `, loading ${oneLine(loading.modelKey)} ${Math.round(loading.progressRatio * 100)} %`;
  const place = position === null ? 'the model reads the prompt' : `position ${position}`;
  return `: mai: waiting for ${seconds} s, ${place}${load}\n`;
}
