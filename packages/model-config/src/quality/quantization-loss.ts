import type { KvCacheType } from '@mai/memory-ledger';
import { kvCacheDivergences, lossLaw, quantizations } from './quantization-loss.generated.js';

// Divergence is the Kullback-Leibler divergence from the model at full precision. A loss is a share of
// what a model scores above chance. Sources: bench/data/quality/README.md.

/** The facts on which the cost of a quantization depends. `null`: not known. */
export interface QuantizedModel {
  /** A family of the published results, such as `Gemma4`. */
  readonly family: string | null;
  readonly parameters: number | null;
  /** The parameters that work on one token. Fewer than `parameters` in a mixture of experts. */
  readonly activeParameters: number | null;
}

/** Beyond this loss the law is not measured. */
const LARGEST_LOSS = 0.95;
const REFERENCE_BILLIONS = 8;
/**
 * Mixtures of experts use less than this share of their parameters for one token. Models with embeddings per
 * layer, such as Gemma 3n E2B, use more.
 */
const LARGEST_ACTIVE_SHARE = 0.3;
/** Bits per weight from which a quantization counts as full precision. */
const FULL_PRECISION_BITS = 16;
/** MLX stores a 16-bit scale and a 16-bit bias for each group of 64 weights. */
const MLX_GROUP_BITS = 0.5;
const GROUP_OF_128_BITS = 0.15;
/** gpt-oss was trained in MXFP4, so no type with at least these bits takes anything away. */
const NATIVE_BITS: Readonly<Record<string, number>> = { 'gpt-oss': 4.25 };

/**
 * The share of its quality that a model loses when its weights are quantized, 0 to 0.95. The loss follows from the
 * measured loss of an 8B model with this type, else from the measured divergence of the type, else from the bits
 * per weight. It is less for larger models.
 *
 * @param quantization - a type of llama.cpp or MLX (`Q4_K_M`, `UD-Q4_K_XL`, `4bit`) or of another format (`AWQ`), also inside of a longer
 *   name, or bits per weight.
 * @returns `null` where the type is not known. A model of unknown size counts as one of 8B.
 */
export function quantizationLoss(
  model: QuantizedModel,
  quantization: string | number,
): number | null {
  const type = typeof quantization === 'number' ? null : findType(quantization);
  const bits =
    typeof quantization === 'number'
      ? quantization
      : (type?.bits ?? bitsOfName(quantization.toLowerCase()));
  if (bits === null || !(bits > 0)) return null;
  const native = NATIVE_BITS[model.family ?? ''] ?? FULL_PRECISION_BITS;
  if (bits >= native) return 0;
  const divergence = type?.divergence ?? Math.exp(lossLaw.intercept + lossLaw.slope * bits);
  const lossOf8B = type?.lossOf8B ?? lossLaw.factor * divergence ** lossLaw.exponent;
  const billions = model.parameters === null ? REFERENCE_BILLIONS : model.parameters / 1e9;
  const size = (REFERENCE_BILLIONS / billions) ** lossLaw.sizeExponent;
  return limited(lossOf8B * size * (isMixtureOfExperts(model) ? lossLaw.mixtureFactor : 1));
}

/**
 * The share of its quality that a model loses with a quantized KV cache, 0 to 0.95. Families differ by orders of
 * magnitude, so the loss follows from the family. Families that nobody has measured get the figures of Qwen3.6.
 */
export function kvCacheLoss(
  model: QuantizedModel,
  cache: { readonly k: KvCacheType; readonly v: KvCacheType },
): number {
  const { family } = model;
  const isMixture = isMixtureOfExperts(model);
  const measured =
    kvCacheDivergences.find((row) => row.family === family && row.isMixture === isMixture) ??
    kvCacheDivergences.find((row) => row.family === family) ??
    kvCacheDivergences.find((row) => row.family === null);
  if (measured === undefined) throw new Error('The KV cache divergences have no general row.');
  const divergence = (type: KvCacheType): number => {
    const bits = KV_CACHE_BITS[type];
    if (bits >= FULL_PRECISION_BITS) return 0;
    // Between the two measured types, the logarithm of the divergence is linear in the bits.
    const share = (KV_CACHE_BITS.q8_0 - bits) / (KV_CACHE_BITS.q8_0 - KV_CACHE_BITS.q4_0);
    return measured.q8_0 * (measured.q4_0 / measured.q8_0) ** share;
  };
  const { keyShare } = lossLaw;
  const total = keyShare * divergence(cache.k) + (1 - keyShare) * divergence(cache.v);
  // The divergence was measured on the family itself, so the size of the model does not count again.
  return limited(lossLaw.factor * total ** lossLaw.exponent);
}

/** Bits of one number of the KV cache, with its share of the scales. */
const KV_CACHE_BITS: Readonly<Record<KvCacheType, number>> = {
  f32: 32,
  f16: 16,
  bf16: 16,
  q8_0: 8.5,
  q5_1: 6,
  q5_0: 5.5,
  q4_1: 5,
  q4_0: 4.5,
  iq4_nl: 4.5,
};

type QuantizationType = (typeof quantizations)[number];

/** A type of llama.cpp in a name, such as that of a file. */
const TYPE_IN_NAME = /(?:^|[^A-Z\d])(I?Q\d(?:_[A-Z\d]+)+|MXFP4)(?![A-Z\d])/;

/** The measured type of a name. `UD-Q4_K_XL` counts as `Q4_K_M`, because no divergence of it is published. */
function findType(name: string): QuantizationType | null {
  const plain = TYPE_IN_NAME.exec(name.toUpperCase())?.[1]?.replace(/_MOE$/, '');
  if (plain === undefined) return null;
  const find = (wanted: string): QuantizationType | null =>
    quantizations.find((type) => type.name === wanted) ?? null;
  const smaller = plain.replace(/_X?L$/, '');
  return find(plain) ?? find(`${smaller}_L`) ?? find(`${smaller}_M`) ?? find(smaller);
}

/**
 * Bits per weight of other types. Each weight carries its share of the scales: GPTQ and AWQ have 16 bits and a zero point for 128 weights,
 * NF4 32 bits for 64, NVFP4 8 bits for 16, MLX see `MLX_GROUP_BITS`. Sources: the quantization configurations of these formats, and
 * ggml-common.h for `TQ`.
 */
const BITS_OF_NAMES: readonly (readonly [RegExp, (number: number) => number])[] = [
  [/\b(?:bf16|fp16|f16|f32|fp32)\b/, () => FULL_PRECISION_BITS],
  [/(\d+(?:\.\d+)?) ?bpw\b/, (bits) => bits],
  [/\b(?:ud-)?q8_k_xl\b|\bfp8\b/, () => 8.5],
  [/\btq1_0\b/, () => 1.69],
  [/\btq2_0\b/, () => 2.06],
  [/\bnvfp4\b|\bnf4\b/, () => 4.5],
  [/\b(?:int|w)(\d)(?:a\d+)?\b/, (bits) => bits + GROUP_OF_128_BITS],
  // A fraction is the mean of all weights with their scales, as mlx-lm prints it (compute_bits_per_weight).
  [/\b(\d+\.\d+)[ -]?bits?\b/, (bits) => bits],
  [/\b(\d)[ -]?bits?\b/, (bits) => bits + MLX_GROUP_BITS],
  [/\b(?:awq|gptq)\b/, () => 4 + GROUP_OF_128_BITS],
];

function bitsOfName(name: string): number | null {
  for (const [pattern, bitsOf] of BITS_OF_NAMES) {
    const found = pattern.exec(name);
    if (found !== null) return bitsOf(Number(found[1]));
  }
  return null;
}

function isMixtureOfExperts({ parameters, activeParameters }: QuantizedModel): boolean {
  return (
    parameters !== null &&
    activeParameters !== null &&
    activeParameters < LARGEST_ACTIVE_SHARE * parameters
  );
}

function limited(loss: number): number {
  return Math.min(Math.max(loss, 0), LARGEST_LOSS);
}
