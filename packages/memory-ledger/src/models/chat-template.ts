/** Templates that support tools name them. */
const TOOLS = /\btools\b/;

/** Variables by which a caller turns thinking on, or says how long it may be: Qwen3, GLM, Seed-OSS, gpt-oss, DeepSeek V3.1, Granite. */
const SWITCHES =
  /\b(?:enable_thinking|thinking_budget|reasoning_effort)\b|\{%-?\s*(?:if|elif)\s+(?:not\s+)?thinking\b/;

/**
 * The marks before a thought: DeepSeek-R1 and most others, Magistral, Seed-OSS, gpt-oss, Gemma 4, EXAONE Deep. The marks after
 * it prove nothing: LFM2.5 has one template for its models with and without thinking, which removes old thoughts.
 */
const OPENINGS = /<think>|\[THINK\]|<seed:think>|<\|channel\|?>(?:analysis|thought)|<thought>/;

/** Whether a chat template (`tokenizer.chat_template` of a GGUF header) writes tools into the prompt. */
export function templateHasTools(template: string): boolean {
  return TOOLS.test(template);
}

/**
 * Whether a chat template is that of a model that can think before it answers. Some models that think have a template
 * that does not show it, such as Phi-4-mini-reasoning. Sources: the templates in llama.cpp's models/templates, and those
 * that the publishers have on Hugging Face.
 */
export function templateThinks(template: string): boolean {
  return SWITCHES.test(template) || OPENINGS.test(template);
}
