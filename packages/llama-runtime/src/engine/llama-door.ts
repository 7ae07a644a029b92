import { createRequire } from 'node:module';

/** Builds of the binding: for the CPU (Metal included on macOS), for CUDA and for Vulkan. */
export type BindingVariant = 'cpu' | 'cuda' | 'vulkan';

/** Options of a context, in the binding's own names. */
export interface ContextOptions {
  readonly model: string;
  readonly n_ctx: number;
  readonly n_batch: number;
  readonly n_ubatch: number;
  readonly n_parallel: number;
  readonly n_threads: number;
  readonly n_gpu_layers: number;
  readonly n_cpu_moe: number;
  readonly flash_attn_type: 'auto' | 'on' | 'off';
  readonly cache_type_k: string;
  readonly cache_type_v: string;
  readonly ctx_shift: boolean;
  readonly kv_unified: boolean;
  readonly swa_full: boolean;
  readonly use_mmap: boolean;
  readonly use_mlock: boolean;
  readonly embedding: boolean;
}

/** Options that decide how a chat becomes a prompt. */
export interface ChatFormatOptions {
  readonly jinja: boolean;
  readonly tools?: readonly unknown[];
  readonly tool_choice?: string;
  readonly parallel_tool_calls?: boolean;
  readonly response_format?: unknown;
  readonly enable_thinking?: boolean;
  readonly add_generation_prompt?: boolean;
  readonly reasoning_format?: 'none' | 'auto' | 'deepseek';
  /** Each value is a JSON text. */
  readonly chat_template_kwargs?: Readonly<Record<string, string>>;
}

/** A chat as the model's template formats it. */
export interface FormattedChat {
  readonly prompt: string;
  readonly grammar: string;
  /** Whether the grammar holds only from the start of a tool call on. */
  readonly grammar_lazy: boolean;
  readonly generation_prompt?: string;
}

/** How tokens are chosen. A field that is absent has llama.cpp's default. */
export interface Sampling {
  readonly seed?: number;
  readonly temperature?: number;
  readonly top_p?: number;
  readonly top_k?: number;
  readonly min_p?: number;
  readonly penalty_repeat?: number;
  readonly penalty_freq?: number;
  readonly penalty_present?: number;
}

/** Options of a completion. `messages` or `prompt` is given. */
export interface CompletionOptions extends Partial<ChatFormatOptions>, Sampling {
  readonly messages?: readonly unknown[];
  /** Replaces the model's own template. */
  readonly chat_template?: string;
  readonly prompt?: string;
  readonly media_paths?: readonly string[];
  /** File of a saved state that is loaded into the slot before the prompt. */
  readonly load_state_path?: string;
  readonly grammar?: string;
  readonly n_predict: number;
  readonly stop?: readonly string[];
  readonly dry_multiplier?: number;
  readonly xtc_probability?: number;
  readonly xtc_threshold?: number;
}

/** The part of a tool call that is generated so far. */
export interface NativeToolCall {
  readonly id?: string;
  readonly function: { readonly name: string; readonly arguments: string };
}

/** The binding's report for each token: the text so far, parsed. */
export interface TokenReport {
  readonly token: string;
  readonly content?: string;
  readonly reasoning_content?: string;
  readonly tool_calls?: readonly NativeToolCall[];
}

/** The binding's report at the end of a completion. */
export interface CompletionReport {
  readonly token?: undefined;
  readonly text: string;
  readonly content?: string;
  readonly reasoning_content?: string;
  readonly tool_calls?: readonly NativeToolCall[];
  readonly stopped_eos: boolean;
  readonly stopped_limit: boolean;
  readonly stopped_word: boolean;
  readonly context_full: boolean;
  readonly tokens_predicted: number;
  readonly timings: {
    readonly cache_n: number;
    readonly prompt_n: number;
    readonly prompt_ms: number;
    readonly predicted_ms: number;
  };
}

/** Whether a report gives a reason for the end. It gives none where llama.cpp failed, or could not load a state. */
export function hasEndReason(report: CompletionReport): boolean {
  const { stopped_eos, stopped_word, stopped_limit, context_full } = report;
  return stopped_eos || stopped_word || stopped_limit || context_full;
}

/** State of one request in the binding's queue. */
export interface RequestStatus {
  readonly request_id: number;
  readonly state: 'queued' | 'processing_prompt' | 'generating' | 'done';
  readonly tokens_generated: number;
}

/** The methods of the binding's `LlamaContext` that the engine uses. */
export interface LlamaContext {
  /** The text of `llama_print_system_info`: the instructions that the build uses. */
  getSystemInfo(): string;
  getModelInfo(): {
    readonly chatTemplates: {
      readonly jinja: {
        readonly defaultCaps: { readonly tools: boolean; readonly systemRole: boolean };
        readonly toolUseCaps?: { readonly tools: boolean };
      };
    };
    readonly metadata: Readonly<Record<string, string>>;
  };
  getFormattedChat(
    messages: readonly unknown[],
    template: string | undefined,
    options: ChatFormatOptions,
  ): FormattedChat;
  tokenize(
    text: string,
    mediaPaths?: readonly string[],
  ): Promise<{ readonly tokens: ArrayLike<number> }>;
  detokenize(tokens: readonly number[]): Promise<string>;
  initMultimodal(options: { readonly path: string; readonly use_gpu: boolean }): boolean;
  getMultimodalSupport(): { readonly vision: boolean };
  enableParallelMode(options: { readonly n_parallel: number; readonly n_batch: number }): boolean;
  /** @returns the number of the request. After `cancelRequest`, the callback may be called once more. */
  queueCompletion(
    options: CompletionOptions,
    callback: (error: unknown, report: TokenReport | CompletionReport) => void,
  ): { readonly requestId: number };
  queueEmbedding(
    text: string,
    options: { readonly embd_normalize: number },
    callback: (error: unknown, report: { readonly embedding: readonly number[] }) => void,
  ): { readonly requestId: number };
  cancelRequest(requestId: number): void;
  getParallelStatus(): { readonly requests: readonly RequestStatus[] };
}

/** The class of the binding. */
export interface LlamaContextClass {
  /**
   * Loads a model. It blocks the thread until the model is loaded. Where llama.cpp cannot load the model, the binding
   * ends the process with SIGSEGV instead of throwing; only llama.cpp's log on stderr says why.
   */
  new (options: ContextOptions): LlamaContext;
  toggleNativeLog(enabled: boolean, callback: (level: string, text: string) => void): void;
  /** A JSON text: a list of `{ backend, type, deviceName, maxMemorySize }`. */
  getBackendDevicesInfo(): string;
  /** The metadata of a GGUF file, without lists and without the given keys. */
  loadModelInfo(
    file: string,
    without: readonly string[],
  ): Promise<Readonly<Record<string, string | number>>>;
}

/** A binding that is loaded. */
export interface LoadedBinding {
  readonly variant: BindingVariant;
  readonly LlamaContext: LlamaContextClass;
}

/** Long lists in the metadata of a file, which nobody needs. */
export const TOKENIZER_LISTS: readonly string[] = [
  'tokenizer.ggml.tokens',
  'tokenizer.ggml.scores',
  'tokenizer.ggml.token_type',
  'tokenizer.ggml.merges',
];

const requireFromHere = createRequire(import.meta.url);
const GPU_VARIANTS = ['cuda', 'vulkan'] as const;

/**
 * Loads the binding: a GPU build where `usesGpu` is set and one is installed (CUDA before Vulkan), else the CPU's.
 *
 * @returns the reason as text where no build is installed or none loads
 */
export function loadBinding(usesGpu: boolean): LoadedBinding | { readonly reason: string } {
  const wanted: readonly BindingVariant[] = usesGpu ? [...GPU_VARIANTS, 'cpu'] : ['cpu'];
  const installed = wanted.filter((variant) => isInstalled(variant));
  if (installed.length === 0) {
    return {
      reason: `${packageName('cpu')} is not installed. Run: npm install ${packageName('cpu')}`,
    };
  }
  const reasons: string[] = [];
  for (const variant of installed) {
    try {
      const loaded: unknown = requireFromHere(packageName(variant));
      if (hasContextClass(loaded)) return { variant, LlamaContext: loaded.LlamaContext };
      reasons.push(`${packageName(variant)} has no LlamaContext`);
    } catch (error) {
      reasons.push(
        `${packageName(variant)}: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
  return { reason: reasons.join('; ') };
}

function packageName(variant: BindingVariant): string {
  const base = `@fugood/node-llama-${process.platform}-${process.arch}`;
  return variant === 'cpu' ? base : `${base}-${variant}`;
}

function isInstalled(variant: BindingVariant): boolean {
  try {
    requireFromHere.resolve(packageName(variant));
    return true;
  } catch {
    // require.resolve throws where the package is not installed.
    return false;
  }
}

function hasContextClass(value: unknown): value is { readonly LlamaContext: LlamaContextClass } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'LlamaContext' in value &&
    typeof value.LlamaContext === 'function'
  );
}
