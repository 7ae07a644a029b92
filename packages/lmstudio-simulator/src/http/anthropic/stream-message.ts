import type { AnswerPart } from '../../predicting/answer.js';
import type { Exchange } from '../exchange.js';
import type { AnswerWriter, StartedAnswer } from '../generation/generate.js';
import { newCallIdentifier } from '../generation/identifiers.js';
import { sendMessagesFailure } from './failures.js';
import { messageHead, stopReason } from './message-head.js';

/**
 * Streams a message. The order of events is Anthropic's, with a ping after the first start of a block. Assumed: LM
 * Studio sends `message_start` only after it has processed the prompt.
 */
export function streamMessage(exchange: Exchange, id: string): AnswerWriter {
  let started: StartedAnswer | null = null;
  let current: AnswerPart | null = null;
  let index = -1;

  const send = (event: { readonly type: string }): void => exchange.sendEvent(event, event.type);
  const closeBlock = (): void => {
    if (current !== null) send(event('content_block_stop', { index }));
    current = null;
  };
  const openBlock = (part: AnswerPart): void => {
    closeBlock();
    current = part;
    index++;
    send(event('content_block_start', { index, content_block: emptyBlock(part) }));
    if (index === 0) send({ type: 'ping' });
  };

  return {
    started(answer) {
      started = answer;
      exchange.startStream();
    },
    prompted() {
      if (started === null) return;
      send(
        event('message_start', {
          message: {
            ...messageHead(id, started),
            content: [],
            stop_reason: null,
            stop_sequence: null,
            usage: {
              input_tokens: started.promptTokens,
              output_tokens: 0,
              cache_read_input_tokens: 0,
            },
          },
        }),
      );
    },
    content(part, content) {
      if (part !== current) openBlock(part);
      send(event('content_block_delta', { index, delta: deltaOf(part, content) }));
    },
    finished(answer) {
      closeBlock();
      send(
        event('message_delta', {
          delta: {
            stop_reason: stopReason(answer),
            stop_sequence: answer.stats.stopString ?? null,
          },
          usage: { output_tokens: answer.stats.predictedTokensCount },
        }),
      );
      send({ type: 'message_stop' });
      exchange.endStream();
    },
    failed: (failure) => sendMessagesFailure(exchange, failure),
  };
}

function event(type: string, fields: object): { readonly type: string } {
  return { type, ...fields };
}

function emptyBlock(part: AnswerPart): object {
  if (part.type === 'toolCall') {
    return { type: 'tool_use', id: newCallIdentifier(), name: part.toolName, input: {} };
  }
  return part.type === 'text'
    ? { type: 'text', text: '' }
    : { type: 'thinking', thinking: '', signature: '' };
}

function deltaOf(part: AnswerPart, content: string): object {
  switch (part.type) {
    case 'toolCall':
      return { type: 'input_json_delta', partial_json: content };
    case 'text':
      return { type: 'text_delta', text: content };
    case 'reasoning':
      return { type: 'thinking_delta', thinking: content };
  }
}
