import type { ChatFormatOptions, LlamaContext } from '../llama-door.js';

/**
 * The special tokens that a model needs around its prompts. llama.cpp leaves them to the tokenizer, and removes a BOS that a chat
 * template has written. But the tokenizer of the binding's queue adds no special tokens, so the engine writes them.
 */
export interface SpecialTokens {
  /** Text of the token that each prompt begins with (BOS); null where the model has none. */
  readonly start: string | null;
  /** Texts of the tokens that end an answer (EOG), as far as llama.cpp's log names them. */
  readonly ends: readonly string[];
  /** Tokens that llama.cpp adds to a text whose embedding it computes. */
  readonly aroundEmbedding: number;
}

const PLAIN: ChatFormatOptions = { jinja: true, add_generation_prompt: false };
const MESSAGES = [{ role: 'user', content: 'x' }];

/** Reads from llama.cpp what its tokenizer would add: the special tokens that it takes off the result of a template. */
export function readSpecialTokens(context: LlamaContext, ends: readonly string[]): SpecialTokens {
  const { metadata } = context.getModelInfo();
  const written = (template: string): string =>
    context.getFormattedChat(MESSAGES, template, PLAIN).prompt;
  // Between two letters, no special token is taken off.
  const [, start = ''] = /^x(.*)x$/s.exec(written('x{{ bos_token }}x')) ?? [];
  const [, end = ''] = /^x(.*)x$/s.exec(written('x{{ eos_token }}x')) ?? [];
  const addsStart = start !== '' && written('{{ bos_token }}x') === 'x';
  const addsEnd = end !== '' && written('x{{ eos_token }}') === 'x';
  // An encoder of BERT's kind has a token at both ends of each text (WPM in llama-vocab.cpp).
  const isWordPiece = metadata['tokenizer.ggml.model'] === 'bert';
  return {
    start: addsStart ? start : null,
    ends,
    aroundEmbedding: isWordPiece ? 2 : Number(addsStart) + Number(addsEnd),
  };
}
