import type { ModelIndex } from '../architecture/model-index.js';
import { printable } from '../gguf/bytes/checked-reader.js';
import { isGgufArray, type GgufHeader } from '../gguf/gguf-header.js';
import { EMBEDDED_PRE_TOKENIZERS } from './embedded-engine.js';
import { notStrings } from './metadata-types.js';
import { contradiction, missingKey } from './metadata-refusals.js';
import type { ModelRefusal } from './model-refusal.js';

/** Tokenizers that merge pairs of tokens, and need the list of the pairs. */
const MERGING = 'gpt2 gemma4 hybriddna whitespace'.split(' ');

/** Values of `tokenizer.ggml.model` that llama.cpp reads (llama_vocab::impl::load in llama-vocab.cpp of v0.5.0). */
const TOKENIZERS = new Set([...MERGING, ...'none no_vocab llama bert t5 rwkv plamo2'.split(' ')]);

/** A pre-tokenizer with which llama.cpp reads `gpt2` without a list of pairs (llama-vocab.cpp). */
const WITHOUT_MERGES = 'kimi-k2';

/** Byte tokens (`<0x00>` to `<0xFF>`). */
const BYTES = 256;

/** A tokenizer that has its own pre-tokenizer, whatever the file states. */
const OWN_PRE_TOKENIZER = 'gemma4';

/** A fault in the vocabulary for which llama.cpp refuses the model; `null` without a fault. */
export function findVocabularyFault({
  header,
  metadata,
  model,
  shared,
}: ModelIndex): ModelRefusal | null {
  const tokenizer = header.metadata.get('tokenizer.ggml.model');
  // A newer engine may have a new tokenizer for an architecture that this package does not know.
  if (
    model?.architecture.known === true &&
    typeof tokenizer === 'string' &&
    !TOKENIZERS.has(tokenizer)
  )
    return {
      code: 'TOKENIZER',
      reason: `llama.cpp v0.5.0 does not have its tokenizer "${printable(tokenizer)}"`,
    };
  const none = tokenizer === 'none' || tokenizer === 'no_vocab';
  const tokens = none
    ? (metadata.number('vocab_size') ?? 0)
    : metadata.arrayLength('tokenizer.ggml.tokens');
  if (!none) {
    const fault = findListFault(header, tokens);
    if (fault !== null) return fault;
  }
  const rows = shared.get('token_embd')?.weight?.shape[1] ?? null;
  return tokens === null || rows === null || rows === tokens
    ? null
    : contradiction(
        `its vocabulary has ${tokens} tokens, but its token embeddings have ${rows} rows`,
      );
}

/** A fault in the lists of a vocabulary: its tokens, their scores and types, and its merges. */
function findListFault(header: GgufHeader, tokens: number | null): ModelRefusal | null {
  const { metadata, complete } = header;
  const notTexts =
    notStrings(header, 'tokenizer.ggml.tokens') ?? notStrings(header, 'tokenizer.ggml.merges');
  if (notTexts !== null) return notTexts;
  // A header that was cut out of a file may have no vocabulary.
  if (tokens === null) return complete ? missingKey('tokenizer.ggml.tokens') : null;
  for (const key of ['tokenizer.ggml.scores', 'tokenizer.ggml.token_type']) {
    const value = metadata.get(key);
    const length = isGgufArray(value) ? value.length : 1;
    if (value !== undefined && length < tokens)
      return contradiction(
        `its ${key} has ${length} values, but its vocabulary has ${tokens} tokens`,
      );
  }
  if (header.tokens?.repeats === true)
    return contradiction('its vocabulary has the same token twice');
  // PLaMo 2 needs a token for each byte, and only the types tell which tokens are bytes.
  if (
    metadata.get('tokenizer.ggml.model') === 'plamo2' &&
    !metadata.has('tokenizer.ggml.token_type')
  )
    return missingKey('tokenizer.ggml.token_type');
  const byteTokens = header.tokens?.byteTokens ?? BYTES;
  if (metadata.get('tokenizer.ggml.model') === 'plamo2' && byteTokens < BYTES)
    return contradiction(
      `its vocabulary has tokens for ${byteTokens} bytes, but its tokenizer (plamo2) needs all ${BYTES}`,
    );
  return lacksMerges(header) && !isShortened(header) ? missingKey('tokenizer.ggml.merges') : null;
}

/** Whether a tokenizer lacks the pairs that it merges. */
function lacksMerges({ metadata, complete }: GgufHeader): boolean {
  const tokenizer = metadata.get('tokenizer.ggml.model');
  return (
    complete &&
    isMerging(tokenizer) &&
    !metadata.has('tokenizer.ggml.merges') &&
    (tokenizer === OWN_PRE_TOKENIZER || metadata.get('tokenizer.ggml.pre') !== WITHOUT_MERGES)
  );
}

/**
 * Whether a vocabulary consists of tokens alone, without pairs, types and pre-tokenizer, in a file without data. It was then
 * shortened, as in headers that are passed on without their model: nothing is known of its pairs.
 */
function isShortened({ metadata, hasData }: GgufHeader): boolean {
  return (
    !hasData && !metadata.has('tokenizer.ggml.pre') && !metadata.has('tokenizer.ggml.token_type')
  );
}

/** The refusal of a tokenizer or a pre-tokenizer that the embedded engine does not have; `null` for any other. */
export function refuseEmbeddedTokenizer(header: GgufHeader): ModelRefusal | null {
  const tokenizer = header.metadata.get('tokenizer.ggml.model');
  if (typeof tokenizer === 'string' && !TOKENIZERS.has(tokenizer))
    return notEmbedded('tokenizer', tokenizer);
  const pre = header.metadata.get('tokenizer.ggml.pre');
  return !isMerging(tokenizer) ||
    tokenizer === OWN_PRE_TOKENIZER ||
    typeof pre !== 'string' ||
    pre === '' ||
    EMBEDDED_PRE_TOKENIZERS.has(pre)
    ? null
    : notEmbedded('pre-tokenizer', pre);
}

function notEmbedded(what: string, name: string): ModelRefusal {
  return {
    code: 'TOKENIZER',
    reason: `the embedded engine does not have its ${what} "${printable(name)}"`,
  };
}

function isMerging(tokenizer: unknown): boolean {
  return typeof tokenizer === 'string' && MERGING.includes(tokenizer);
}
