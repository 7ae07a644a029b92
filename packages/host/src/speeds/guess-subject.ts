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

/**
 * Guesses the shape of a model from its size, for a prediction of its speed. Usual models of that size have this shape. The doubt about
 * the shape widens the intervals. Null for an embedding model, and where no size is known.
 */
export function guessSubject({ modelKey, model, sizes, ...load }: SizedModel): SpeedSubject | null {
  const weightBytes = sizes.find((bytes) => bytes != null && bytes > 0);
  if (weightBytes == null || model?.kind === 'embedding') return null;
  const label = parseParameterCounts(model?.parameters ?? null);
  const name = parseParameterCounts(modelKey);
  const parameters =
    label.all ?? name.all ?? (weightBytes * 8) / (model?.quantization?.bits ?? USUAL_BITS);
  const active = label.active ?? name.active;
  return speedSubjectOf({
    ...load,
    shape: usualShape(weightBytes, parameters, Math.min(active ?? parameters, parameters)),
    shapeDoubt: doubtOf(modelKey, active === null),
    format: model?.format ?? 'gguf',
    quantization: model?.quantization?.name ?? null,
    fileBytes: weightBytes,
  });
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
