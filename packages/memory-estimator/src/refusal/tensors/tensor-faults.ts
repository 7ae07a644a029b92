import type { Hyperparameters } from '../../architecture/hyperparameters.js';
import type { ModelIndex } from '../../architecture/model-index.js';
import { layerOf, type TensorGroups } from '../../architecture/tensor-groups.js';
import type { GgufHeader } from '../../gguf/gguf-header.js';
import { printable } from '../../gguf/bytes/checked-reader.js';
import { tensorTypeLayout } from '../../gguf/tensor-types.js';
import { findForeignPart, findMissingPart, isPlanned } from './layer-faults.js';
import { findForeignInMixed, findMissingInMixed } from './mixed-faults.js';
import { findOtherEnding } from './name-endings.js';
import { hasPart } from './part-names.js';
import { FACTORS_BY_SCALING } from './plans/layer-plans.js';
import type { ModelRefusal } from '../model-refusal.js';

/** Types that llama.cpp has removed. Their numbers stay unused (ggml_type in ggml.h). */
const REMOVED_TYPES = new Map([
  [4, 'Q4_2'],
  [5, 'Q4_3'],
  [31, 'Q4_0_4_4'],
  [32, 'Q4_0_4_8'],
  [33, 'Q4_0_8_8'],
  [36, 'IQ4_NL_4_4'],
  [37, 'IQ4_NL_4_8'],
  [38, 'IQ4_NL_8_8'],
]);

/** The longest tensor name in bytes (GGML_MAX_NAME - 1). */
const MAX_NAME_BYTES = 63;

/** Tensors outside of layers that llama.cpp loads (LLM_TENSOR_NAMES in llama-arch.cpp of v0.5.0). */
const SHARED_TENSORS =
  /^(token_embd|token_embd_norm|token_types|position_embd|output|output_norm|output_res_score|output_hc_\w+|rope_freqs|rope_factors_(long|short)|cls|cls\.(output|norm)|hrm\.\w+|per_layer_\w+|altup_\w+|dense_[23]|nextn\.\w+|masked_embd_\w+|(enc|dec)\.output_norm|fc|d2t|markov_w[12]|conf_proj|selector_\w+)(\.(weight|bias|scale|input_scale))?$/;

/** Architectures with layers that have no tensors. */
const HAS_EMPTY_LAYERS = new Set(['deci']);

/**
 * Architectures without a tensor `output_norm`: the norm has no weights or another name (src/models/*.cpp of
 * v0.5.0).
 */
const WITHOUT_OUTPUT_NORM = new Set(
  [
    'bert clip dflash eagle3 hrm_text jina-bert-v2 jina-bert-v3 lfm2 lfm2moe neo-bert nomic-bert',
    'nomic-bert-moe olmo t5 t5encoder talkie',
  ].flatMap((line) => line.split(' ')),
);

/** The architecture whose output matrix is also its token embedding. */
const OUTPUT_EMBEDS = 'codeshell';

/** Tensors of a layer that come in pairs: a layer with the first also has the second. */
const FEED_FORWARD_PAIRS = [
  ['ffn_up', 'ffn_down'],
  ['ffn_up_exps', 'ffn_down_exps'],
] as const;
const PAIRS = [
  ['attn_q', 'attn_output'],
  ['attn_qkv', 'attn_output'],
  ...FEED_FORWARD_PAIRS,
] as const;

/** Start of the names in the encoder and the decoder of T5. */
const SIDE = /^(enc|dec)\./;

/**
 * Tensors of a vision or audio encoder, which Ollama writes into the model's file. llama.cpp expects a separate
 * file.
 */
const ENCODER = /^(v|a|mm|s|vision\w*|visual|audio\w*|multi_modal_projector|resampler)\./;

/** A fault in the tensors for which llama.cpp refuses the model; `null` without a fault. */
export function findTensorFault(index: ModelIndex): ModelRefusal | null {
  const { header } = index;
  // In an unfinished download, files of a split model are missing. The model is not at fault.
  const isUnfinished = !header.complete && header.tensors.length < (splitTensors(header) ?? 0);
  return (
    findTypeFault(header) ??
    findLeftover(index) ??
    (isUnfinished ? null : (findMissing(index) ?? findMissingByPlan(index))) ??
    findAborting(index)
  );
}

function findTypeFault({ tensors }: GgufHeader): ModelRefusal | null {
  for (const { name, type } of tensors) {
    if (name.length * 3 > MAX_NAME_BYTES && Buffer.byteLength(name) > MAX_NAME_BYTES)
      return {
        code: 'LEFTOVER_TENSORS',
        reason: `the tensor ${quoted(name)} has a longer name than llama.cpp reads (${MAX_NAME_BYTES} bytes)`,
      };
    if (tensorTypeLayout(type) !== null) continue;
    const removed = REMOVED_TYPES.get(type);
    return {
      code: 'TENSOR_TYPE',
      reason:
        removed === undefined
          ? `its tensors have the type ${type}, which llama.cpp v0.5.0 does not have`
          : `its tensors have the type ${removed}, which llama.cpp no longer has`,
    };
  }
  return null;
}

/** A tensor that llama.cpp does not load. llama.cpp then fails with 'wrong number of tensors'. */
function findLeftover({ metadata, model, outside }: ModelIndex): ModelRefusal | null {
  // The tensors of a layer below `block_count` have neither fault.
  const encoder = outside.find(({ name }) => ENCODER.test(name));
  if (encoder !== undefined) {
    const count = outside.filter(({ name }) => ENCODER.test(name)).length;
    return {
      code: 'LEFTOVER_TENSORS',
      reason: `it contains ${count} tensors of a vision or audio encoder (${quoted(encoder.name)}), as Ollama's files do, but llama.cpp loads an encoder only from a separate mmproj file`,
    };
  }
  // A newer engine may load more tensors for an architecture that this package does not know.
  if (model?.architecture.known !== true) return null;
  const layers = Math.max(
    metadata.count('block_count') ?? 0,
    metadata.count('decoder_block_count') ?? 0,
  );
  const unknown = outside.find(({ name }) => {
    const layer = layerOf(SIDE.test(name) ? name.slice('enc.'.length) : name);
    return layer === null ? !SHARED_TENSORS.test(name) : layer >= layers;
  });
  return unknown === undefined ? null : leftover(unknown.name);
}

/** A tensor that llama.cpp does not load, by the plan of the architecture, which names every tensor; `null` without one. */
export function findForeignTensor(index: ModelIndex): ModelRefusal | null {
  const foreign = findForeignPart(index) ?? findForeignInMixed(index) ?? findOtherFactors(index);
  return foreign === null ? null : leftover(foreign);
}

/** Factors for rotary positions that llama.cpp does not load with the scaling that the metadata states; `null` without them. */
function findOtherFactors({ model, shared, metadata }: ModelIndex): string | null {
  if (!FACTORS_BY_SCALING.has(model?.architecture.name ?? '')) return null;
  const isLong = metadata.text('rope.scaling.type') === 'longrope';
  const other = isLong ? /^rope_freqs$/ : /^rope_factors_/;
  return [...shared.keys()].find((part) => other.test(part)) ?? null;
}

function findMissingByPlan(index: ModelIndex): ModelRefusal | null {
  const part = findOtherEnding(index) ?? findMissingPart(index) ?? findMissingInMixed(index);
  return part === null ? null : missing(part);
}

/**
 * A tensor with which llama.cpp aborts. It reshapes the queries of MPT for their norm, and aborts where they are a part of joined
 * queries, keys and values.
 */
function findAborting({ model, layers }: ModelIndex): ModelRefusal | null {
  if (model?.architecture.name !== 'mpt') return null;
  const il = layers.findIndex(
    (tensors) => hasPart(tensors, 'attn_q_norm') && hasPart(tensors, 'attn_qkv'),
  );
  return il === -1
    ? null
    : {
        code: 'LEFTOVER_TENSORS',
        reason: `it has the tensor "blk.${il}.attn_q_norm", with which llama.cpp v0.5.0 aborts for this architecture`,
      };
}

function leftover(name: string): ModelRefusal {
  return {
    code: 'LEFTOVER_TENSORS',
    reason: `it has the tensor ${quoted(name)}, which llama.cpp v0.5.0 does not have for this architecture`,
  };
}

function findMissing(index: ModelIndex): ModelRefusal | null {
  const { model, shared, layers } = index;
  const embeds = model?.architecture.name === OUTPUT_EMBEDS ? 'output' : 'token_embd';
  if (!hasPart(shared, 'token_embd') && !hasPart(shared, embeds))
    return missing('token_embd.weight');
  const architecture = model?.architecture ?? null;
  const name =
    architecture !== null && (architecture.known || isPlanned(architecture.name))
      ? architecture.name
      : null;
  if (name !== null && !WITHOUT_OUTPUT_NORM.has(name) && !hasPart(shared, 'output_norm'))
    return missing('output_norm.weight');
  if (model?.architecture.known !== true || HAS_EMPTY_LAYERS.has(model.architecture.name))
    return null;
  const own = layers.slice(0, model.layers);
  const empty = own.findIndex((tensors) => tensors.size === 0);
  // A plan names the partners of each tensor.
  if (empty === -1)
    return isPlanned(model.architecture.name) ? null : findMissingPartner(model, own);
  return model.layers < model.layersInFile && own.every((tensors) => tensors.size === 0)
    ? {
        code: 'DRAFT_HEAD',
        reason: 'it holds only layers that draft tokens for another model (an MTP head)',
      }
    : missing(`blk.${empty}.*`);
}

function findMissingPartner(
  { recurrent }: Hyperparameters,
  layers: readonly TensorGroups[],
): ModelRefusal | null {
  for (const [il, tensors] of layers.entries())
    for (const [first, second] of recurrent[il] === true ? FEED_FORWARD_PAIRS : PAIRS)
      if (hasPart(tensors, first) && !tensors.has(second))
        return missing(`blk.${il}.${second}.weight`);
  return null;
}

function missing(name: string): ModelRefusal {
  return {
    code: 'TENSORS_MISSING',
    reason: `it lacks the tensor ${name}`,
  };
}

function splitTensors({ metadata }: GgufHeader): number | null {
  const count = metadata.get('split.tensors.count');
  return typeof count === 'number' ? count : null;
}

function quoted(name: string): string {
  return `"${printable(name)}"`;
}
