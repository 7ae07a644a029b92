import type { Backend } from '../../runtime/backend.js';
import type { Exchange } from '../exchange.js';
import { generate, WITHOUT_STREAM } from '../generation/generate.js';
import type { AnswerWriter, FinishedAnswer } from '../generation/generate.js';
import { newResponseIdentifier } from '../generation/identifiers.js';
import { sendFailure } from '../openai/failures.js';
import { createItem } from './output-items.js';
import { readResponsesRequest } from './read-responses.js';
import { finishedBody, statusOf } from './response-body.js';
import type { ResponseHead } from './response-body.js';
import { streamResponse } from './stream-response.js';

/** `POST /v1/responses` */
export async function responses(backend: Backend, exchange: Exchange): Promise<void> {
  const { storedResponses, runtime } = backend;
  const request = readResponsesRequest(exchange.body, storedResponses, runtime.profile.version);
  const head: ResponseHead = {
    id: newResponseIdentifier(),
    createdAt: Math.floor(runtime.clock.now() / 1000),
    request,
  };
  const store = (answer: FinishedAnswer): void => {
    if (!request.stores) return;
    const text = answer.parts.map(({ content }) => content).join('');
    storedResponses.add(head.id, `${request.generation.prompt}\nassistant: ${text}`);
  };
  const writer: AnswerWriter = request.streams
    ? streamResponse(exchange, head, store)
    : {
        ...WITHOUT_STREAM,
        finished(answer) {
          store(answer);
          const status = statusOf(answer);
          const output = answer.parts.map(({ part, content }) =>
            createItem(part).whole(content, status),
          );
          exchange.send({ status: 200, body: finishedBody(head, answer, output) });
        },
        failed: (failure) => sendFailure(exchange, failure),
      };
  await generate(backend, exchange, request.generation, writer);
}
