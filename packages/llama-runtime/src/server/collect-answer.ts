import type { AnswerDelta, AnswerEnd } from '../engine/answer.js';

/** A whole answer. */
export interface Answer {
  readonly content: string;
  readonly reasoning: string;
  readonly toolCalls: readonly { readonly name: string; readonly argumentsText: string }[];
  readonly end: AnswerEnd;
}

/** Waits for an answer to end. */
export async function collectAnswer(
  deltas: AsyncGenerator<AnswerDelta, AnswerEnd>,
): Promise<Answer> {
  let content = '';
  let reasoning = '';
  const toolCalls: { name: string; argumentsText: string }[] = [];
  for (;;) {
    const step = await deltas.next();
    if (step.done === true) return { content, reasoning, toolCalls, end: step.value };
    const delta = step.value;
    if (delta.type === 'content') content += delta.text;
    else if (delta.type === 'reasoning') reasoning += delta.text;
    else if (delta.type === 'tool-call') toolCalls.push({ name: delta.name, argumentsText: '' });
    else {
      const call = toolCalls[delta.index];
      if (call !== undefined) call.argumentsText += delta.text;
    }
  }
}
