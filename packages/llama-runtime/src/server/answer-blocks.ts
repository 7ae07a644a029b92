import type { AnswerDelta, AnswerEnd } from '../engine/answer.js';

/** A part of an answer: text of one kind, or a tool call. */
export type Block =
  | { readonly type: 'content' }
  | { readonly type: 'reasoning' }
  | { readonly type: 'tool-call'; readonly name: string };

/** An event of an answer in blocks. A block is closed before the next is opened. */
export type BlockEvent =
  | { readonly type: 'open'; readonly index: number; readonly block: Block }
  | { readonly type: 'text'; readonly index: number; readonly block: Block; readonly text: string }
  | {
      readonly type: 'close';
      readonly index: number;
      readonly block: Block;
      readonly text: string;
      /** Whether the token limit ended the answer in this block. */
      readonly isCut: boolean;
    };

/** Groups the deltas of an answer into blocks, which Anthropic's messages and OpenAI's responses consist of. */
export async function* blocksOf(
  deltas: AsyncGenerator<AnswerDelta, AnswerEnd>,
): AsyncGenerator<BlockEvent, AnswerEnd> {
  let open: { readonly block: Block; readonly call: number | null } | null = null;
  let index = -1;
  let text = '';
  for (;;) {
    const step = await deltas.next();
    const delta = step.done === true ? null : step.value;
    if (open !== null && (delta === null || !continues(open, delta))) {
      const isCut = step.done === true && step.value.finishReason === 'length';
      yield { type: 'close', index, block: open.block, text, isCut };
      open = null;
    }
    if (step.done === true) return step.value;
    if (delta === null) continue;
    if (open === null) {
      if (delta.type === 'tool-arguments') continue;
      open = openBlock(delta);
      index += 1;
      text = '';
      yield { type: 'open', index, block: open.block };
    }
    if (delta.type === 'tool-call') continue;
    text += delta.text;
    yield { type: 'text', index, block: open.block, text: delta.text };
  }
}

function openBlock(delta: Exclude<AnswerDelta, { readonly type: 'tool-arguments' }>): {
  readonly block: Block;
  readonly call: number | null;
} {
  return delta.type === 'tool-call'
    ? { block: { type: 'tool-call', name: delta.name }, call: delta.index }
    : { block: { type: delta.type }, call: null };
}

function continues(
  { block, call }: { readonly block: Block; readonly call: number | null },
  delta: AnswerDelta,
): boolean {
  return delta.type === 'tool-arguments'
    ? delta.index === call
    : delta.type === block.type && delta.type !== 'tool-call';
}
