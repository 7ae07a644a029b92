import type { AnswerPart } from '../../predicting/answer.js';
import { newCallIdentifier, newIdentifier } from '../generation/identifiers.js';

/** One item of a response's output: reasoning, a message, or a call. */
export interface OutputItem {
  readonly id: string;
  /** The item without its content. */
  readonly empty: object;
  /** The part of the item that carries the text; `null` for a call. */
  part(content: string): object | null;
  /** The item with its content. `status`: `incomplete` where a limit has ended the answer. */
  whole(content: string, status: 'completed' | 'incomplete'): object;
}

/** Makes the item of an answer's part. Captured: the keys of reasoning and of a message (lmstudio-bug-tracker #1188). */
export function createItem(part: AnswerPart): OutputItem {
  switch (part.type) {
    case 'reasoning':
      return reasoningItem();
    case 'text':
      return messageItem();
    case 'toolCall':
      return callItem(part.toolName);
  }
}

function reasoningItem(): OutputItem {
  const id = newIdentifier('rs_');
  const partOf = (text: string): object => ({ type: 'reasoning_text', text });
  return {
    id,
    empty: { id, type: 'reasoning', summary: [], content: [] },
    part: partOf,
    whole: (text) => ({ id, type: 'reasoning', summary: [], content: [partOf(text)] }),
  };
}

function messageItem(): OutputItem {
  const id = newIdentifier('msg_');
  const partOf = (text: string): object => ({
    type: 'output_text',
    text,
    annotations: [],
    logprobs: [],
  });
  const item = (status: string, content: readonly object[]): object => ({
    id,
    type: 'message',
    status,
    role: 'assistant',
    content,
  });
  return {
    id,
    empty: item('in_progress', []),
    part: partOf,
    whole: (text, status) => item(status, [partOf(text)]),
  };
}

function callItem(name: string): OutputItem {
  const id = newIdentifier('fc_');
  const callId = newCallIdentifier();
  const item = (status: string, callArguments: string): object => ({
    id,
    type: 'function_call',
    status,
    call_id: callId,
    name,
    arguments: callArguments,
  });
  return {
    id,
    empty: item('in_progress', ''),
    part: () => null,
    whole: (content, status) => item(status, content),
  };
}
