import type { Exchange } from '../exchange.js';
import type { RequestFailure } from '../generation/request-failure.js';

/**
 * Sends a failure. Captured (lmstudio-bug-tracker #1755 and reports of Claude Code): a prediction that fails has
 * the status 500 and the type `api_error`. Assumed: other failures have Anthropic's types.
 */
export function sendMessagesFailure(exchange: Exchange, failure: RequestFailure): void {
  const { type, status } = errorOf(failure);
  const body = { type: 'error', error: { type, message: failure.message } };
  if (exchange.isStreaming) {
    exchange.sendEvent(body, 'error');
    exchange.endStream();
  } else {
    exchange.send({ status, body });
  }
}

function errorOf({ status, details }: RequestFailure): { type: string; status: number } {
  if (status === 401) return { type: 'authentication_error', status };
  if (details.code === 'model_not_found') return { type: 'not_found_error', status: 404 };
  if (details.type !== undefined) return { type: 'invalid_request_error', status };
  return { type: 'api_error', status: Math.max(status, 500) };
}
