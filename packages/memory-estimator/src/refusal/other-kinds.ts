import type { MlxModel } from '../mlx/read-mlx-model.js';
import type { GgufHeader } from '../gguf/gguf-header.js';
import type { ModelRefusal, ModelRefusalCode } from './model-refusal.js';

/** Names in `general.architecture` of files that are not language models, by kind. */
const ARCHITECTURES: readonly (readonly [code: ModelRefusalCode, names: string])[] = [
  ['PROJECTOR', 'clip mmproj siglip'],
  ['CONTROL_VECTOR', 'controlvector control_vector'],
  // llama.cpp loads a draft head only together with the model that it drafts for.
  ['DRAFT_HEAD', 'gemma4-assistant eagle eagle3 dflash medusa'],
  // Names in files of stable-diffusion.cpp, ComfyUI-GGUF (city96), gguf-node (calcuis), vision.cpp and sam.cpp.
  [
    'PICTURE_MODEL',
    [
      'flux flux2 sd sd1 sd2 sd3 sdxl stable-diffusion diffusion aura auraflow chroma cosmos ernie_image',
      'hidream hunyuan_image hunyuan_video hunyuanvideo hyvid kandinsky5 kolors krea longcat ltxv ltx2',
      'lumina lumina2 mochi omnigen omnigen2 ovis pig pixart qwen_image sana svd unet vae wan z_image',
      'birefnet depth-anything depthany dinov2 esrgan migan mobile-sam rmbg sam sam2 sam3 yolo',
    ].join(' '),
  ],
  // The first three belong to speech tools of llama.cpp, the others to whisper.cpp, bark.cpp, TTS.cpp and similar
  // programs.
  [
    'SPEECH_MODEL',
    [
      'wavtokenizer-dec qwen3tts pockettts',
      'ace-step bark chatterbox cosyvoice dac dia encodec f5-tts fish-speech indextts kokoro melotts mimi',
      'moonshine musicgen parakeet parler-tts piper sensevoice silero-vad snac stable-audio styletts2',
      'vibevoice vits whisper xtts',
    ].join(' '),
  ],
  // Names that Ollama's own engine writes.
  ['ARCHITECTURE', 'deepseekocr glmocr gptoss mllama qwen25vl qwen3vlm'],
];

const KIND_OF_ARCHITECTURE = new Map(
  ARCHITECTURES.flatMap(([code, names]) => names.split(' ').map((name) => [name, code] as const)),
);

/** `general.type`, as gguf-py and llama-imatrix write it. Other values do not state the kind. */
const KIND_OF_TYPE = new Map<unknown, ModelRefusalCode>([
  ['adapter', 'ADAPTER'],
  ['imatrix', 'IMPORTANCE_MATRIX'],
  ['mmproj', 'PROJECTOR'],
]);

/** Metadata that only one kind of file has. */
const KIND_OF_KEY: readonly (readonly [key: RegExp, code: ModelRefusalCode])[] = [
  [/^imatrix\.(datasets|chunk_count|chunk_size)$/, 'IMPORTANCE_MATRIX'],
  [/^adapter\.(type|lora\.alpha)$/, 'ADAPTER'],
  [/^clip\.(projector_type|has_(vision|audio)_encoder|has_llava_projector)$/, 'PROJECTOR'],
];

/** Tensors that only one kind of file has, in files without token embeddings. */
const KIND_OF_TENSOR: readonly (readonly [name: RegExp, code: ModelRefusalCode])[] = [
  [/\.(in_sum2|counts)$/, 'IMPORTANCE_MATRIX'],
  [/\.lora_[ab]$/, 'ADAPTER'],
  [/^direction\.\d+$/, 'CONTROL_VECTOR'],
  [/^(nextn|mtp)\.|\.nextn\./, 'DRAFT_HEAD'],
  [
    /^(model\.diffusion_model|first_stage_model|cond_stage_model|double_blocks|single_blocks|input_blocks|joint_blocks|transformer_blocks|down_blocks|time_embed)\./,
    'PICTURE_MODEL',
  ],
  [/^(encoder\.conv1|decoder\.token_embedding|convnext|posnet|decoder\.blocks)\b/, 'SPEECH_MODEL'],
  [/^([va]|mm|resampler|vision_tower)\./, 'PROJECTOR'],
];

const REASONS: Readonly<Partial<Record<ModelRefusalCode, string>>> = {
  IMPORTANCE_MATRIX: 'it is an importance matrix for quantization, not a model',
  ADAPTER: 'it is a LoRA adapter, not a model',
  CONTROL_VECTOR: 'it is a control vector, not a model',
  DRAFT_HEAD: 'it only drafts tokens for another model (such as an MTP head)',
  PROJECTOR: 'it is a projector (mmproj) for another model, not a model',
  VOCABULARY: 'it is a vocabulary without weights',
  PICTURE_MODEL: 'it is a model for pictures or videos, not a language model',
  SPEECH_MODEL: 'it is a model for speech or sound, not a language model',
};

/**
 * The refusal of an MLX model that makes or reads pictures or speech, or whose config.json does not state its kind; `null`
 * for any other model.
 */
export function refuseMlx({ architecture }: Pick<MlxModel, 'architecture'>): ModelRefusal | null {
  if (architecture === null)
    return { code: 'METADATA_MISSING', reason: 'its config.json lacks model_type' };
  const code = KIND_OF_ARCHITECTURE.get(architecture);
  if (code !== 'PICTURE_MODEL' && code !== 'SPEECH_MODEL') return null;
  return { code, reason: REASONS[code] ?? '' };
}

/** The refusal of a file that is not a language model; `null` where the file may be a language model. */
export function findOtherKind(header: GgufHeader): ModelRefusal | null {
  const { architecture, tensors } = header;
  const kind = KIND_OF_ARCHITECTURE.get(architecture ?? '') ?? kindByContents(header);
  if (kind === null) return null;
  if (kind === 'ARCHITECTURE')
    return {
      code: kind,
      reason: `llama.cpp does not have its architecture ${architecture ?? ''}, which is Ollama's own name`,
    };
  const reason = REASONS[kind];
  if (reason !== undefined) return { code: kind, reason };
  return {
    code: 'NOT_A_LANGUAGE_MODEL',
    reason:
      tensors.length === 0 ? 'it has no tensors' : 'its header does not describe a language model',
  };
}

function kindByContents({ metadata, tensors, architecture }: GgufHeader): ModelRefusalCode | null {
  // A file with token embeddings is a language model, even if its metadata names another kind.
  if (tensors.some(({ name }) => name === 'token_embd.weight')) return null;
  const stated = KIND_OF_TYPE.get(metadata.get('general.type'));
  if (stated !== undefined) return stated;
  for (const [pattern, code] of KIND_OF_KEY)
    if ([...metadata.keys()].some((key) => pattern.test(key))) return code;
  if (tensors.length === 0) {
    // The first file of a split model may have no tensors while the other files are missing.
    if (Number(metadata.get('split.count') ?? 1) > 1) return null;
    return metadata.has('tokenizer.ggml.model') || metadata.has('tokenizer.ggml.tokens')
      ? 'VOCABULARY'
      : 'NOT_A_LANGUAGE_MODEL';
  }
  for (const [pattern, code] of KIND_OF_TENSOR)
    if (tensors.some(({ name }) => pattern.test(name))) return code;
  return metadata.has(`${architecture ?? ''}.block_count`) ? null : 'NOT_A_LANGUAGE_MODEL';
}
