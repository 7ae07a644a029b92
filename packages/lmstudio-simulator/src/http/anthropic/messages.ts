import type { Backend } from '../../runtime/backend.js';
import { countPromptTokens } from '../../predicting/tokens.js';
import type { Exchange } from '../exchange.js';
import { generate, WITHOUT_STREAM } from '../generation/generate.js';
import type { AnswerWriter, FinishedAnswer } from '../generation/generate.js';
import { newCallIdentifier, newIdentifier } from '../generation/identifiers.js';
import { sendMessagesFailure } from './failures.js';
import { messageHead, stopReason } from './message-head.js';
import { readMessagesRequest } from './read-messages.js';
import { streamMessage } from './stream-message.js';

/** `POST /v1/messages` */
export async function messages(backend: Backend, exchange: Exchange): Promise<void> {
  const { version } = backend.runtime.profile;
  const { generation, streams } = readMessagesRequest(exchange.body, version);
  const id = newIdentifier('msg_');
  const writer: AnswerWriter = streams
    ? streamMessage(exchange, id)
    : {
        ...WITHOUT_STREAM,
        finished: (answer) => exchange.send({ status: 200, body: messageBody(id, answer) }),
        failed: (failure) => sendMessagesFailure(exchange, failure),
      };
  await generate(backend, exchange, generation, writer);
}

/**
 * `POST /v1/messages/count_tokens`. No known version of LM Studio has this endpoint. A world can add it. Its form
 * is from Anthropic's documentation. Images are counted as in a prompt.
 */
export function countMessageTokens({ runtime }: Backend, exchange: Exchange): void {
  const { generation } = readMessagesRequest(exchange.body, runtime.profile.version);
  exchange.send({ status: 200, body: { input_tokens: countPromptTokens(generation) } });
}

// Captured: the keys, that no empty text precedes a tool call, and that the identifiers of calls are numbers.
function messageBody(id: string, answer: FinishedAnswer): object {
  return {
    ...messageHead(id, answer),
    content: answer.parts.map(({ part, content }) => {
      if (part.type === 'toolCall') {
        return {
          type: 'tool_use',
          id: newCallIdentifier(),
          name: part.toolName,
          input: parseInput(content),
        };
      }
      return part.type === 'text'
        ? { type: 'text', text: content }
        : { type: 'thinking', thinking: content, signature: '' };
    }),
    stop_reason: stopReason(answer),
    stop_sequence: answer.stats.stopString ?? null,
    usage: {
      input_tokens: answer.promptTokens,
      output_tokens: answer.stats.predictedTokensCount,
      cache_read_input_tokens: 0,
    },
  };
}

// Arguments that a limit has cut off are not JSON.
function parseInput(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return {};
  }
}
