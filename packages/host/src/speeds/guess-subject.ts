import type { ModelShape } from '@mai/memory-ledger';
import type { DownloadedModel } from '@mai/lmstudio-adapter';
import { parseParameterCounts } from '@mai/model-config';
import {
  speedSubjectOf,
  type ShapeDoubt,
  type SpeedFacts,
  type SpeedSubject,
} from './speed-subject.js';

/** The known facts of a model whose files cannot be read on this machine. */
export interface SizedModel extends Pick<
  SpeedFacts,
  'loadConfig' | 'resources' | 'engine' | 'ramBandwidth'
> {
  readonly modelKey: string;
  /** Null where the model is not listed. */
  readonly model: Pick<DownloadedModel, 'kind' | 'format' | 'quantization' | 'parameters'> | null;
  /** Bytes of the weights, the best known figure first. Figures that are null or 0 are passed over. */
  readonly sizes: readonly (number | null | undefined)[];
}

/** Bits of a parameter of `Q4_K_M`, the usual quantization. Source: llama.cpp, tools/quantize/README.md (Llama 3.1 8B). */
const USUAL_BITS = 4.85;
/** Bytes that a token adds to the KV cache of a layer: 8 key and value heads of 128, such as Llama 3 and Qwen 3. */
const KV_BYTES_OF_LAYER = 4096;
/** Share of the weights of a mixture that are experts. The mixtures of `bench/speed/results/architectures.mjs` have .85 to .98. */
const EXPERT_SHARE = 0.94;
/** Parameters of a model of 32 layers. Layers grow with the cube root of the parameters, because the width grows with them. */
const PARAMETERS_OF_32_LAYERS = 8e9;
/** A guessed shape may make a model this many times faster or slower. */
const DOUBT = 1.5;
/** A model that names no active parameters may be a mixture of experts. Known mixtures use a fourth to a thirtieth of their parameters. */
const MAYBE_MIXTURE = 10;

/** The parameters of a mixture of experts, in billions. */
interface Mixture {
  readonly names: RegExp;
  readonly all: number;
  readonly active: number;
}

/** Mixtures whose names do not state the parameters that a token uses. Source: the models' cards on Hugging Face. */
const MIXTURES: readonly Mixture[] = [
  { names: /gpt-?oss.*120b/i, all: 116.8, active: 5.1 },
  { names: /gpt-?oss.*20b/i, all: 20.9, active: 3.6 },
  { names: /glm-?4\.5-?air/i, all: 106, active: 12 },
  { names: /glm-?4\.7-?flash/i, all: 30, active: 3 },
  { names: /qwen3-?coder-?next/i, all: 80, active: 3 },
  { names: /mixtral.*8x7b/i, all: 46.7, active: 12.9 },
  { names: /mixtral.*8x22b/i, all: 141, active: 39 },
  { names: /llama-?4-?scout/i, all: 109, active: 17 },
  { names: /llama-?4-?maverick/i, all: 400, active: 17 },
  { names: /deepseek-?(coder-)?v2-?lite/i, all: 15.7, active: 2.4 },
  { names: /deepseek-?(r1|v3)/i, all: 671, active: 37 },
  { names: /kimi-?k2/i, all: 1000, active: 32 },
  { names: /minimax-?m2/i, all: 230, active: 10 },
];
/** Bits of a parameter from the smallest quantization to 16 bits. Outside of them, a model only has a part of the name, such as a distillation. */
const BITS = { least: 1.5, most: 17 };

/**
 * Guesses the shape of a model from its size, for a prediction of its speed. Usual models of that size have this shape. The doubt about
 * the shape widens the intervals. Null for an embedding model, and where no size is known.
 */
export function guessSubject({ modelKey, model, sizes, ...load }: SizedModel): SpeedSubject | null {
  const weightBytes = sizes.find((bytes) => bytes != null && bytes > 0);
  if (weightBytes == null || model?.kind === 'embedding') return null;
  const label = parseParameterCounts(model?.parameters ?? null);
  const name = parseParameterCounts(modelKey);
  const known = mixtureOf(modelKey, weightBytes);
  const parameters =
    known?.all ??
    label.all ??
    name.all ??
    (weightBytes * 8) / (model?.quantization?.bits ?? USUAL_BITS);
  const active = label.active ?? name.active ?? known?.active ?? null;
  return speedSubjectOf({
    ...load,
    shape: usualShape(weightBytes, parameters, Math.min(active ?? parameters, parameters)),
    shapeDoubt: doubtOf(modelKey, active === null),
    format: model?.format ?? 'gguf',
    quantization: model?.quantization?.name ?? null,
    fileBytes: weightBytes,
  });
}

/** The parameters of a known mixture; null for other models. */
function mixtureOf(
  modelKey: string,
  weightBytes: number,
): { readonly all: number; readonly active: number } | null {
  const found = MIXTURES.find(({ names, all }) => {
    const bits = (weightBytes * 8) / (all * 1e9);
    return names.test(modelKey) && bits >= BITS.least && bits <= BITS.most;
  });
  return found === undefined ? null : { all: found.all * 1e9, active: found.active * 1e9 };
}

function doubtOf(modelKey: string, maybeMixture: boolean): ShapeDoubt {
  return { modelKey, low: DOUBT, high: DOUBT * (maybeMixture ? MAYBE_MIXTURE : 1) };
}

function usualShape(weightBytes: number, parameters: number, activeParameters: number): ModelShape {
  const layers = Math.max(1, Math.round(32 * Math.cbrt(parameters / PARAMETERS_OF_32_LAYERS)));
  const activeShare = activeParameters / parameters;
  const isMixture = activeShare < 1;
  const activeWeightBytes = weightBytes * activeShare;
  return {
    parameters,
    activeParameters,
    layers,
    weightBytes,
    activeWeightBytes,
    expertBytes: isMixture ? EXPERT_SHARE * weightBytes : 0,
    activeExpertBytes: isMixture
      ? Math.max(activeWeightBytes / 2, activeWeightBytes - (1 - EXPERT_SHARE) * weightBytes)
      : 0,
    kvBytesPerToken: layers * KV_BYTES_OF_LAYER,
    queryValuesPerToken: null,
  };
}
