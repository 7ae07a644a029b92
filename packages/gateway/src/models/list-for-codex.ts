import type { ListedModel, ModelList } from './list-models.js';

/**
 * A model as Codex reads it: `ModelInfo` in codex-rs/protocol/src/openai_models.rs. Codex refuses the whole list where one
 * field without a default is missing (openai/codex #37122), so each of them is here, also where it is null.
 */
export interface CodexModel {
  readonly slug: string;
  readonly display_name: string;
  readonly description: string | null;
  readonly default_reasoning_level: null;
  readonly supported_reasoning_levels: readonly [];
  readonly shell_type: 'shell_command';
  readonly visibility: 'list';
  readonly supported_in_api: true;
  /** Lower is listed first. */
  readonly priority: number;
  readonly upgrade: null;
  readonly base_instructions: string;
  readonly supports_reasoning_summaries: false;
  readonly support_verbosity: false;
  readonly default_verbosity: null;
  readonly apply_patch_tool_type: null;
  readonly truncation_policy: { readonly mode: 'bytes'; readonly limit: number };
  readonly supports_parallel_tool_calls: false;
  readonly context_window?: number;
  readonly max_context_window?: number;
  readonly experimental_supported_tools: readonly [];
  readonly input_modalities: readonly ('text' | 'image')[];
}

/** Codex sends these instead of its own, which it keeps for OpenAI's models. */
const INSTRUCTIONS =
  "You are a coding agent in the user's terminal. Read the files that matter before you change them, and change no more than the task needs. Use the tools that you are given, run the tests after a change, and say briefly what you did.";
/** Codex cuts the output of a tool after this number of bytes. The models of Codex's own tests have the same. */
const TOOL_OUTPUT_BYTES = 10_000;

/**
 * The top-level `models` that Codex reads from `GET /v1/models?client_version=`: `auto` first, then the other names of
 * models that answer chats. Aliases with `*` are left out, because the list is for a person to pick from.
 */
export function listForCodex({ data }: ModelList): readonly CodexModel[] {
  // `auto` means another model for a request with an image.
  const anySees = data.some(({ type }) => type === 'vlm');
  return data
    .filter(({ id, type }) => type !== 'embeddings' && !id.includes('*'))
    .map((model, index) => toCodex(model, index, model.id === 'auto' && anySees));
}

function toCodex(model: ListedModel, priority: number, sees: boolean): CodexModel {
  const { id, context_length: context, max_context_length: longest } = model;
  return {
    slug: id,
    display_name: id,
    description: descriptionOf(model),
    default_reasoning_level: null,
    supported_reasoning_levels: [],
    shell_type: 'shell_command',
    visibility: 'list',
    supported_in_api: true,
    priority,
    upgrade: null,
    base_instructions: INSTRUCTIONS,
    supports_reasoning_summaries: false,
    support_verbosity: false,
    default_verbosity: null,
    apply_patch_tool_type: null,
    truncation_policy: { mode: 'bytes', limit: TOOL_OUTPUT_BYTES },
    supports_parallel_tool_calls: false,
    // Codex shortens a conversation of this many tokens.
    ...(context === undefined
      ? {}
      : { context_window: context, max_context_window: longest ?? context }),
    experimental_supported_tools: [],
    input_modalities: sees || model.type === 'vlm' ? ['text', 'image'] : ['text'],
  };
}

function descriptionOf({ state, mai }: ListedModel): string | null {
  const loaded = state === 'loaded' ? 'loaded' : 'not loaded';
  if (mai.kind === 'model' || mai.kind === 'instance') return `Local model, ${loaded}.`;
  return mai.means === null ? 'No local model fits now.' : `Now ${mai.means}, ${loaded}.`;
}
