import type { MetadataValue } from './gguf-file.js';

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const CONTROL_TOKENS = ['<|im_start|>', '<|im_end|>', '<|endoftext|>'] as const;
/** Numbers of token types, from llama.h. */
const TOKEN_TYPE = { normal: 1, control: 3 } as const;

/** A vocabulary of single bytes and pairs of letters in the form of GPT-2, with the control tokens of ChatML. */
export interface Vocabulary {
  readonly tokens: readonly string[];
  readonly types: readonly number[];
  readonly merges: readonly string[];
  readonly endOfTurn: number;
  readonly endOfText: number;
}

/** @param size - number of tokens, at least 259; above 935, unused tokens fill the vocabulary */
export function createVocabulary(size: number): Vocabulary {
  const tokens = byteTokens();
  const merges: string[] = [];
  const last = size - CONTROL_TOKENS.length;
  for (const first of LETTERS) {
    for (const second of LETTERS) {
      if (tokens.length === last) break;
      merges.push(`${first} ${second}`);
      tokens.push(first + second);
    }
  }
  while (tokens.length < last) tokens.push(`<unused${tokens.length}>`);
  tokens.push(...CONTROL_TOKENS);
  return {
    tokens,
    merges,
    types: tokens.map((_, index) => (index < last ? TOKEN_TYPE.normal : TOKEN_TYPE.control)),
    endOfTurn: size - 2,
    endOfText: size - 1,
  };
}

/** The metadata of a GGUF file that has this vocabulary. */
export function vocabularyMetadata({
  tokens,
  types,
  merges,
  endOfTurn,
  endOfText,
}: Vocabulary): Readonly<Record<string, MetadataValue>> {
  return {
    'tokenizer.ggml.model': 'gpt2',
    'tokenizer.ggml.pre': 'gpt-2',
    'tokenizer.ggml.tokens': tokens,
    'tokenizer.ggml.token_type': types,
    'tokenizer.ggml.merges': merges,
    'tokenizer.ggml.bos_token_id': endOfText,
    'tokenizer.ggml.eos_token_id': endOfTurn,
  };
}

/** The character that stands for each byte in GPT-2's vocabulary. Printable bytes stand for themselves. */
function byteTokens(): string[] {
  const isPrintable = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) =>
    String.fromCodePoint(isPrintable(byte) ? byte : next++),
  );
}
