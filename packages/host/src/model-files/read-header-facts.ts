import type { GgufHeader } from '@mai/memory-estimator';
import { templateHasTools, templateThinks } from '@mai/memory-ledger';
import { embeddingWidth, refuseEmbedded, refuseModel } from '@mai/memory-estimator';
import { isNamedReranker, type HeaderFacts } from './header-facts.js';

/** `general.file_type` of the header: `llama_ftype` in llama.cpp's include/llama.h. */
const FILE_TYPES: Readonly<Record<number, string>> = {
  0: 'F32',
  1: 'F16',
  2: 'Q4_0',
  3: 'Q4_1',
  7: 'Q8_0',
  8: 'Q5_0',
  9: 'Q5_1',
  10: 'Q2_K',
  11: 'Q3_K_S',
  12: 'Q3_K_M',
  13: 'Q3_K_L',
  14: 'Q4_K_S',
  15: 'Q4_K_M',
  16: 'Q5_K_S',
  17: 'Q5_K_M',
  18: 'Q6_K',
  19: 'IQ2_XXS',
  20: 'IQ2_XS',
  21: 'Q2_K_S',
  22: 'IQ3_XS',
  23: 'IQ3_XXS',
  24: 'IQ1_S',
  25: 'IQ4_NL',
  26: 'IQ3_S',
  27: 'IQ3_M',
  28: 'IQ2_S',
  29: 'IQ2_M',
  30: 'IQ4_XS',
  31: 'IQ1_M',
  32: 'BF16',
  36: 'TQ1_0',
  37: 'TQ2_0',
  38: 'MXFP4_MOE',
  39: 'NVFP4',
  40: 'Q1_0',
  41: 'Q2_0',
};

/** The longest context that an estimate accepts. A header may state any number. */
const LONGEST_CONTEXT_TOKENS = 2 ** 30;

/** Numbers of `llama_pooling_type` in llama.h. */
const NOT_POOLED = 0;
const POOLED_TO_RANK = 4;

/** Architectures that make embeddings, not text. `pangu-embedded`, a model for small devices, writes text. */
const ENCODERS = /bert|embed(?!ded)|^t5encoder$/;

/** The layers that llama.cpp applies to embeddings after the model (`LLM_TENSOR_DENSE_2_OUT`). ColBERT models state no pooling. */
const PROJECTION = 'dense_2.weight';

/** Reads the facts from a header. */
export function headerFacts(header: GgufHeader): HeaderFacts {
  const { architecture, metadata, tensors, complete } = header;
  const prefix = architecture ?? '';
  const text = (key: string) => {
    const value = metadata.get(key);
    return typeof value === 'string' && value !== '' ? value : null;
  };
  const contextLength = Number(metadata.get(`${prefix}.context_length`) ?? 0);
  const pooling = Number(metadata.get(`${prefix}.pooling_type`) ?? NOT_POOLED);
  // Older conversions of BERT rerankers state no pooling. Only rerankers have this tensor (build_pooling in llama-graph.cpp).
  const ranks = tensors.some((tensor) => tensor.name === 'cls.output.weight');
  const name = text('general.name');
  const template = text('tokenizer.chat_template');
  return {
    architecture,
    name,
    baseModels: baseModelsOf(text),
    sizeLabel: text('general.size_label'),
    contextLengthTokens:
      contextLength >= 1 ? Math.min(Math.floor(contextLength), LONGEST_CONTEXT_TOKENS) : null,
    embedding:
      pooling > NOT_POOLED ||
      ENCODERS.test(prefix) ||
      tensors.some((tensor) => tensor.name === PROJECTION),
    reranker: pooling === POOLED_TO_RANK || ranks || isNamedReranker(name ?? ''),
    // A GGUF file has no field for tool use or thinking.
    toolUse: template !== null && templateHasTools(template),
    reasoning: template === null ? null : templateThinks(template),
    complete,
    quantization: FILE_TYPES[Number(metadata.get('general.file_type') ?? -1)] ?? null,
    hasExperts: Number(metadata.get(`${prefix}.expert_count`) ?? 0) > 1,
    width: embeddingWidth(header),
    refusal: refuseModel(header),
    embeddedRefusal: refuseEmbedded(header),
  };
}

/** The base models are numbered from 0. Source: docs/gguf.md of ggml. */
function baseModelsOf(text: (key: string) => string | null): readonly string[] {
  const name = (index: number): string | null => text(`general.base_model.${index}.name`);
  const names: string[] = [];
  for (let next = name(0); next !== null; next = name(names.length)) names.push(next);
  return names;
}
