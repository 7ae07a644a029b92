import type { DownloadedModel } from './model-types.js';

/** What a model can do, as far as its facts tell. */
export type ModelCapability = 'chat' | 'reasoning' | 'coding' | 'tools' | 'vision' | 'embedding';

// Families whose names announce it. Names are all there is: LM Studio reports vision and tool use
// only. 'qwen3' thinks by default unless it is an instruct, coder, VL or embedding release.
const REASONING =
  /(?:^|[^a-z0-9])(?:deepseek-r1|r1-distill|qwq|gpt-oss|magistral|reasoning|thinking|thinker|phi-4-mini-reasoning|exaone-deep|marco-o1|openthinker|glm-z1|seed-oss|nemotron-nano)/;
const QWEN3 = /(?:^|[^a-z0-9])qwen3(?:\.\d+)?-(?!.*(?:instruct|coder|vl|embedding|reranker))/;
const CODING =
  /coder|codestral|devstral|starcoder|codegemma|codellama|code-llama|granite-.*code|stable-code|codeqwen|wizardcoder|opencoder|deepcoder/;

/**
 * Capabilities of a model: chat, embedding, vision and tools from LM Studio's own facts; reasoning
 * and coding from the family's name, so an unknown family has neither.
 */
export function detectCapabilities(
  model: Pick<DownloadedModel, 'kind' | 'vision' | 'toolUse' | 'modelKey'> & {
    readonly path?: string | null;
  },
): readonly ModelCapability[] {
  if (model.kind === 'embedding') return ['embedding'];
  const name = `${model.modelKey} ${model.path ?? ''}`.toLowerCase().replace(/[_\s]+/g, '-');
  const capabilities: ModelCapability[] = ['chat'];
  if (REASONING.test(name) || QWEN3.test(model.modelKey.toLowerCase())) {
    capabilities.push('reasoning');
  }
  if (CODING.test(name)) capabilities.push('coding');
  if (model.toolUse) capabilities.push('tools');
  if (model.vision) capabilities.push('vision');
  return capabilities;
}
