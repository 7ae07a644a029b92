import type { Capability } from '@mai/memory-ledger';
import type { DownloadedModel } from './model-types.js';

/** The capabilities that LM Studio's facts or the model's name show. `analysis` is in neither of the two. */
export type ModelCapability = Exclude<Capability, 'analysis'>;

// LM Studio reports only vision and tool use, so the other capabilities are guessed from the
// family's name. 'qwen3' reasons by default, except in its instruct, coder, VL, embedding and
// reranker releases.
const REASONING =
  /(?:^|[^a-z0-9])(?:deepseek-r1|r1-distill|qwq|gpt-oss|magistral|reasoning|thinking|thinker|phi-4-mini-reasoning|exaone-deep|marco-o1|openthinker|glm-z1|seed-oss|nemotron-nano)/;
const QWEN3 = /(?:^|[^a-z0-9])qwen3(?:\.\d+)?-(?!.*(?:instruct|coder|vl|embedding|reranker))/;
const CODING =
  /coder|codestral|devstral|starcoder|codegemma|codellama|code-llama|granite-.*code|stable-code|codeqwen|wizardcoder|opencoder|deepcoder/;

/**
 * Capabilities of a model: chat, embedding, vision and tools from LM Studio's facts, reasoning
 * and coding from the family's name. A model of an unknown family gets neither reasoning nor
 * coding.
 */
export function detectCapabilities(
  model: Pick<DownloadedModel, 'kind' | 'vision' | 'toolUse' | 'modelKey' | 'path'>,
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
