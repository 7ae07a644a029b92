import { randomUUID } from 'node:crypto';
import type { GenerationRequest, PreparedRequest } from '../../engine/engine.js';
import { invalidField, notSupported } from '../../engine/request-error.js';
import { collectAnswer } from '../collect-answer.js';
import { EventStream, readBody, sendJson, type Exchange } from '../exchange.js';
import { booleanField, numberField, stringField, stringsField } from '../fields.js';
import type { JsonObject } from '../json.js';
import { timingsOf, usageOf } from './chat-completions.js';
import {
  ONE_ANSWER,
  readMaxTokens,
  readSampling,
  readStreaming,
  refuseUnsupported,
} from './chat-request.js';
import { readModel } from './models.js';

/** Answers `POST /v1/completions`: continues a text without a chat template. */
export async function completeText(exchange: Exchange): Promise<void> {
  const { engine, response, signal } = exchange;
  const body = await readBody(exchange);
  const model = readModel(engine, body);
  const { streams, includesUsage } = readStreaming(body);
  const { request, echoed } = readRequest(body);
  const prepared = await engine.prepare(request);
  const head = {
    id: `cmpl-${randomUUID()}`,
    object: 'text_completion',
    created: Math.floor(Date.now() / 1000),
    model,
  };
  if (streams) {
    await streamText(exchange, prepared, { head, echoed, includesUsage });
    return;
  }
  const { content, end } = await collectAnswer(engine.generate(prepared, signal));
  sendJson(response, 200, {
    ...head,
    choices: [choiceOf(echoed + content, end.finishReason)],
    usage: usageOf(end.usage),
    ...timingsOf(end.timings),
  });
}

function readRequest(body: JsonObject): {
  readonly request: GenerationRequest;
  readonly echoed: string;
} {
  refuseUnsupported(body);
  if ((numberField(body, 'best_of', { min: 1, isInteger: true }) ?? 1) !== 1) {
    throw notSupported(`best_of: ${ONE_ANSWER} and cannot choose among several`, 'best_of');
  }
  if ((stringField(body, 'suffix') ?? '') !== '') {
    throw notSupported('suffix: the binding of llama.cpp does not fill in the middle', 'suffix');
  }
  const text = readPrompt(body['prompt']);
  return {
    request: {
      prompt: { text },
      sampling: readSampling(body),
      maxTokens: readMaxTokens(body),
      stops: stringsField(body, 'stop'),
    },
    echoed: booleanField(body, 'echo') === true ? text : '',
  };
}

function readPrompt(value: unknown): string {
  const prompts: readonly unknown[] = Array.isArray(value) ? value : [value];
  const [first] = prompts;
  if (typeof first === 'number' || Array.isArray(first)) {
    throw notSupported(
      'prompt: the binding of llama.cpp takes text and no token numbers',
      'prompt',
    );
  }
  if (typeof first !== 'string' || first === '')
    throw invalidField('prompt', 'must be a text that is not empty');
  if (prompts.length > 1) {
    throw notSupported(`prompt: ${ONE_ANSWER}; send each prompt in a request of its own`, 'prompt');
  }
  return first;
}

async function streamText(
  exchange: Exchange,
  request: PreparedRequest,
  {
    head,
    echoed,
    includesUsage,
  }: { readonly head: JsonObject; readonly echoed: string; readonly includesUsage: boolean },
): Promise<void> {
  const stream = new EventStream(exchange);
  const usage = includesUsage && { usage: null };
  const answer = exchange.engine.generate(request, exchange.signal);
  let step = await answer.next();
  if (echoed !== '') await stream.send({ ...head, choices: [choiceOf(echoed, null)], ...usage });
  while (step.done !== true) {
    if (step.value.type === 'content') {
      await stream.send({ ...head, choices: [choiceOf(step.value.text, null)], ...usage });
    }
    step = await answer.next();
  }
  const end = step.value;
  await stream.send({
    ...head,
    choices: [choiceOf('', end.finishReason)],
    ...usage,
    ...timingsOf(end.timings),
  });
  if (includesUsage) await stream.send({ ...head, choices: [], usage: usageOf(end.usage) });
  await stream.send('[DONE]');
  stream.end();
}

function choiceOf(text: string, finishReason: string | null): JsonObject {
  return { index: 0, text, logprobs: null, finish_reason: finishReason };
}
