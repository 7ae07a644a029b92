import type { IncomingMessage, ServerResponse } from 'node:http';
import { findModel } from '../../models/model-name.js';
import type { TokenCounter } from '../../models/token-counter.js';
import type { LivePort } from '../../ports/live-port.js';
import { measureMessages, messages } from '../../protocols/anthropic/messages.js';
import { textOf } from '../../protocols/fields.js';
import { SchedulingFailure } from '../../queue/scheduler.js';
import { parseBody, readBody } from '../request/read-body.js';
import { readCatalog } from './read-catalog.js';
import type { BodyShare } from '../request/body-memory.js';
import { RequestRefusal } from '../request/request-refusal.js';
import { sendFailure, sendJson } from '../responders.js';

/**
 * Answers `POST /v1/messages/count_tokens`, which no LM Studio has (lmstudio-bug-tracker #2055). The count is cautious:
 * rather too high than too low. Loads no model.
 */
export async function answerCountTokens(
  request: IncomingMessage,
  response: ServerResponse,
  {
    port,
    counter,
    maxBytes,
    share,
  }: {
    readonly port: LivePort;
    readonly counter: TokenCounter;
    readonly maxBytes: number;
    readonly share: BodyShare;
  },
): Promise<void> {
  try {
    const body = parseBody(await readBody(request, maxBytes, share));
    const catalog = await readCatalog(port);
    const named = findModel(textOf(body, 'model'), catalog);
    const keys = named.kind === 'key' ? [named.modelKey] : [];
    const { bytes, images } = measureMessages(body);
    sendJson(response, 200, {
      input_tokens: counter.count(keys, { promptBytes: bytes, images }),
    });
  } catch (error) {
    if (!(error instanceof RequestRefusal || error instanceof SchedulingFailure)) throw error;
    sendFailure(response, messages, error.failure);
  } finally {
    share.end();
  }
}
