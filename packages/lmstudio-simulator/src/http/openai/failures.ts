import type { Exchange } from '../exchange.js';
import { openAiErrorBody } from '../generation/request-failure.js';
import type { RequestFailure } from '../generation/request-failure.js';

export function sendFailure(exchange: Exchange, failure: RequestFailure): void {
  exchange.send({ status: failure.status, body: openAiErrorBody(failure) });
}

/**
 * Ends a stream with an error event, or sends an error status where the stream has not begun. Reported: the event
 * is named `error`, and its data has the keys `error` and `message`. Assumed: no `[DONE]` follows.
 */
export function sendStreamFailure(exchange: Exchange, failure: RequestFailure): void {
  if (!exchange.isStreaming) {
    sendFailure(exchange, failure);
    return;
  }
  const { message } = failure;
  exchange.sendEvent({ error: { message }, message }, 'error');
  exchange.endStream();
}
