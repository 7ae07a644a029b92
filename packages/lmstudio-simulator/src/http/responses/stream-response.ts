import type { AnswerPart } from '../../predicting/answer.js';
import type { Exchange } from '../exchange.js';
import type { AnswerWriter, FinishedAnswer } from '../generation/generate.js';
import { sendFailure } from '../openai/failures.js';
import { createItem } from './output-items.js';
import type { OutputItem } from './output-items.js';
import { finishedBody, startedBody, statusOf } from './response-body.js';
import type { ResponseHead } from './response-body.js';

// The names of the events for a part's text.
const EVENTS = {
  text: 'response.output_text',
  reasoning: 'response.reasoning_text',
  toolCall: 'response.function_call_arguments',
} as const;

/**
 * Streams a response. From OpenAI's documentation: the events, their order, and the event `error`. Reported for
 * LM Studio: `response.created`, `response.output_text.delta`, `response.reasoning_text.done` and
 * `response.completed`.
 */
export function streamResponse(
  exchange: Exchange,
  head: ResponseHead,
  store: (answer: FinishedAnswer) => void,
): AnswerWriter {
  let sequenceNumber = 0;
  let open: { readonly part: AnswerPart; readonly item: OutputItem; content: string } | null = null;
  const output: object[] = [];

  const send = (type: string, fields: object): void =>
    exchange.sendEvent({ type, sequence_number: sequenceNumber++, ...fields }, type);
  const placeOf = (item: OutputItem, isCall: boolean): object => ({
    item_id: item.id,
    output_index: output.length,
    ...(isCall ? {} : { content_index: 0 }),
  });

  const openItem = (part: AnswerPart): void => {
    const item = createItem(part);
    open = { part, item, content: '' };
    send('response.output_item.added', { output_index: output.length, item: item.empty });
    const empty = item.part('');
    if (empty !== null) {
      send('response.content_part.added', { ...placeOf(item, false), part: empty });
    }
  };
  const closeItem = (status: 'completed' | 'incomplete'): void => {
    if (open === null) return;
    const { part, item, content } = open;
    const place = placeOf(item, part.type === 'toolCall');
    const text = part.type === 'toolCall' ? { arguments: content } : { text: content };
    send(`${EVENTS[part.type]}.done`, { ...place, ...text });
    const whole = item.part(content);
    if (whole !== null) send('response.content_part.done', { ...place, part: whole });
    const finished = item.whole(content, status);
    send('response.output_item.done', { output_index: output.length, item: finished });
    output.push(finished);
    open = null;
  };

  return {
    started({ resident }) {
      exchange.startStream();
      const response = startedBody(head, resident.identifier);
      send('response.created', { response });
      send('response.in_progress', { response });
    },
    prompted: () => {},
    content(part, content) {
      if (open?.part !== part) {
        closeItem('completed');
        openItem(part);
      }
      if (open === null) return;
      open.content += content;
      const place = placeOf(open.item, part.type === 'toolCall');
      send(`${EVENTS[part.type]}.delta`, { ...place, delta: content });
    },
    finished(answer) {
      const status = statusOf(answer);
      closeItem(status);
      store(answer);
      send(`response.${status}`, { response: finishedBody(head, answer, output) });
      exchange.endStream();
    },
    failed(failure) {
      if (!exchange.isStreaming) {
        sendFailure(exchange, failure);
        return;
      }
      // OpenAI's code for a failure of the model.
      send('error', { code: 'server_error', message: failure.message, param: null });
      exchange.endStream();
    },
  };
}
