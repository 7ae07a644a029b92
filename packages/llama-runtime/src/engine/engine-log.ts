/** Lines with the size of a buffer, or with a figure that decides this size. No such line holds text of a request. */
const BUFFER_LINE =
  /buffer size|llama_kv_cache: size|llama_memory_recurrent: size|llama_context: (?:n_ctx|n_batch|n_ubatch|flash_attn|kv_unified)\b|Flash Attention|flash_attn/i;
const CONTEXT_LINE = /llama_context: n_ctx\s+= (\d+)/;
/** A line of a memory's constructor: the KV cache, its form with a sliding window, or another kind of memory. */
const MEMORY_LINE = /^(llama_(?:kv_cache|memory)\w*):/;
const ATTENTION_MEMORIES: ReadonlySet<string> = new Set(['llama_kv_cache', 'llama_kv_cache_iswa']);
const END_TOKEN_LINE = /print_info: EOG token\s+= -?\d+ '(.+)'$/;
const FLASH_LINES = [
  { pattern: /Flash Attention enabled|flash_attn\s+= (?:1|enabled)/i, enabled: true },
  {
    pattern: /Flash Attention (?:was auto, set to )?disabled|flash_attn\s+= (?:0|disabled)/i,
    enabled: false,
  },
];

/**
 * Collects llama.cpp's log while a model is loaded. Later lines are dropped, because they can contain parts of
 * requests.
 */
export class EngineLog {
  #text = '';
  #isOpen = true;

  append(text: string): void {
    if (this.#isOpen) this.#text += text;
  }

  close(): void {
    this.#isOpen = false;
  }

  get bufferLines(): readonly string[] {
    return this.#lines().filter((line) => BUFFER_LINE.test(line));
  }

  /** Cells of the KV cache for all sequences together; null where the log does not say. */
  get contextTokens(): number | null {
    const match = CONTEXT_LINE.exec(this.#text);
    return match === null ? null : Number(match[1]);
  }

  /** Whether the model's memory is a KV cache, and has no other state, such as that of recurrent layers. */
  get hasAttentionOnly(): boolean {
    const memories = this.#lines().flatMap((line) => MEMORY_LINE.exec(line)?.[1] ?? []);
    return memories.length > 0 && memories.every((name) => ATTENTION_MEMORIES.has(name));
  }

  /** Texts of the tokens that end an answer. */
  get endTokens(): readonly string[] {
    return this.#lines().flatMap((line) => END_TOKEN_LINE.exec(line)?.[1] ?? []);
  }

  get flashAttention(): boolean | null {
    for (const line of this.#lines()) {
      const found = FLASH_LINES.find(({ pattern }) => pattern.test(line));
      if (found !== undefined) return found.enabled;
    }
    return null;
  }

  #lines(): string[] {
    return this.#text.split('\n').map((line) => line.trim());
  }
}
