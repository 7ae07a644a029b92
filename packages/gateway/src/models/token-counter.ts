/**
 * Tokens per byte before a model has reported its own: one for 3 bytes of UTF-8. English text has about 4 bytes a token,
 * and code about 3. With Llama 3's tokenizer, Cyrillic, Arabic, Chinese and Korean text has 3 to 5 bytes a token:
 * https://gigagpu.com/ai-tokenizer-considerations/ (tokens per character, at 2 or 3 bytes a character). Digits and base64
 * have fewer bytes a token, so this is the upper side of usual text and not of every text.
 */
const DEFAULT_TOKENS_PER_BYTE = 1 / 3;
/** Lower bound: no text of some length has fewer tokens per byte. */
const TOKENS_PER_BYTE_MIN = 1 / 6;
/** Upper bound: a tokenizer that falls back to bytes makes one token of each byte. */
const TOKENS_PER_BYTE_MAX = 1;
/** Shorter prompts say little: the chat template is most of their tokens. */
const LEARN_MIN_BYTES = 2048;
/** A lower report moves the ratio by this part of the difference. A higher report counts at once. */
const LOWERING = 0.02;
/** Room above the highest report, because the next text may have more tokens per byte. */
const MARGIN = 1.1;
/** Tokens that a chat template adds. */
const TEMPLATE_TOKENS = 64;
/**
 * Tokens of one image. Qwen-VL makes 1369 of 1024 x 1024 pixels (28 x 28 pixels for each token), Gemma 3 makes 256 of any. llama.cpp
 * allows Qwen-VL up to 4096, which photos of more than 3 megapixels take: ggml-org/llama.cpp #17020. The size of an image
 * is not taken into account.
 */
const IMAGE_TOKENS = 1536;
const MODELS_MAX = 256;

/** The size of a prompt, as `RequestFacts` has it. */
export interface PromptBytes {
  readonly promptBytes: number;
  readonly images: number;
}

/** Counts the tokens of prompts cautiously, and learns from what models report. */
export class TokenCounter {
  readonly #ratios = new Map<string, number>();

  /** The most tokens that a prompt is expected to have with any of the models. No model: with an unknown one. */
  count(modelKeys: readonly string[], { promptBytes, images }: PromptBytes): number {
    const ratios = modelKeys.map((key) => this.#ratios.get(key) ?? DEFAULT_TOKENS_PER_BYTE);
    const ratio = ratios.length === 0 ? DEFAULT_TOKENS_PER_BYTE : Math.max(...ratios);
    return Math.ceil(promptBytes * ratio) + images * IMAGE_TOKENS + TEMPLATE_TOKENS;
  }

  /** Learns from the token count that a model has reported for a prompt. Prompts with images and short ones are skipped. */
  learn(modelKey: string, { promptBytes, images }: PromptBytes, promptTokens: number): void {
    if (images > 0 || promptBytes < LEARN_MIN_BYTES || !Number.isFinite(promptTokens)) return;
    const reported = bounded((promptTokens / promptBytes) * MARGIN);
    const known = this.#ratios.get(modelKey) ?? DEFAULT_TOKENS_PER_BYTE;
    const ratio = reported > known ? reported : known + (reported - known) * LOWERING;
    // The order matters only where a model is about to be forgotten. With each request, a delete is expensive (waiting-line.ts).
    if (this.#ratios.size >= MODELS_MAX) this.#ratios.delete(modelKey);
    this.#ratios.set(modelKey, ratio);
    if (this.#ratios.size <= MODELS_MAX) return;
    const [oldest] = this.#ratios.keys();
    if (oldest !== undefined) this.#ratios.delete(oldest);
  }
}

function bounded(ratio: number): number {
  return Math.min(TOKENS_PER_BYTE_MAX, Math.max(TOKENS_PER_BYTE_MIN, ratio));
}
