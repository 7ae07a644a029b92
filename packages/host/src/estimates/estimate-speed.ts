import type { LoadConfig, ModelShape, Resources } from '@mai/memory-ledger';
import { modelShape, type EstimateSettings } from '@mai/memory-estimator';
import type { LoadEngine } from '../engine/load-engine.js';
import { headerFacts } from '../model-files/read-header-facts.js';
import { guessSubject, type SizedModel } from '../speeds/guess-subject.js';
import { speedSubjectOf, type SpeedSubject } from '../speeds/speed-subject.js';
import type { Speeds } from '../speeds/speeds.js';
import { speedGap } from '../speeds/speed-gap.js';
import type { ModelEstimate } from './model-estimate.js';
import type { KnownModel } from './open-model.js';

/** The load whose speed is asked for. */
interface EstimatedLoad {
  readonly modelKey: string;
  /** The listed facts of the model; null where it is not listed. */
  readonly model: SizedModel['model'];
  readonly loadConfig: LoadConfig;
  readonly resources: Resources;
  readonly engine: LoadEngine;
  /** Layers on the GPU that the question states; null: those of the load configuration. */
  readonly gpuLayers: number | null;
}

/**
 * The speeds of a model, or why they are not known. Where only its size is known, the intervals are wide. Both are null for an embedding
 * model and a model that cannot be loaded.
 */
function estimateSpeed(
  known: KnownModel,
  load: EstimatedLoad,
  contextLengths: readonly number[],
  speeds: Speeds,
): Pick<ModelEstimate, 'speed' | 'speedGap'> {
  const ramBandwidth = speeds.ramBandwidth();
  const subject =
    known.kind === 'size'
      ? guessedSubject(known, load, ramBandwidth)
      : readSubject(known, load, ramBandwidth);
  const speed = subject === null ? null : speeds.speedOf(subject);
  if (subject === null) return { speed: null, speedGap: null };
  if (speed === null) return { speed: null, speedGap: speedGap(load.resources) };
  const decodeByContext = contextLengths.flatMap(
    (tokens) => speeds.decodeAt(subject, tokens) ?? [],
  );
  return { speed: { speed, decodeByContext }, speedGap: null };
}

/** A model, and the machine and the settings that it would be loaded with; null where they are not known. */
interface SpeedOf extends Pick<EstimatedLoad, 'modelKey' | 'model' | 'engine'> {
  readonly load: Pick<EstimatedLoad, 'loadConfig' | 'resources'> | null;
}

/** Adds how fast the model runs on the machine that loads it: with trade-offs where it fits only with these. */
export function withSpeed(
  estimate: ModelEstimate,
  known: KnownModel,
  { load, ...subject }: SpeedOf,
  { gpuLayers, gpuBackend }: EstimateSettings,
  speeds: Speeds,
): ModelEstimate {
  if (load === null) return estimate;
  const question = {
    ...subject,
    loadConfig: estimate.fit?.cheaper?.loadConfig ?? load.loadConfig,
    resources: load.resources,
    gpuLayers: gpuBackend === 'none' ? 0 : gpuLayers,
  };
  const contexts = estimate.byContextLength.map((one) => one.loadConfig.contextLengthTokens);
  return { ...estimate, ...estimateSpeed(known, question, contexts, speeds) };
}

type Sized = Extract<KnownModel, { readonly kind: 'size' }>;

/** A subject of the shape in the files of a model. */
function readSubject(
  known: Exclude<KnownModel, Sized>,
  load: EstimatedLoad,
  ramBandwidth: number | null,
): SpeedSubject | null {
  const facts = known.kind === 'header' ? headerFacts(known.header) : null;
  const shape = known.kind === 'header' ? modelShape(known.header) : known.model.shape;
  if (shape === null || facts?.embedding === true) return null;
  return speedSubjectOf({
    shape,
    resources: load.resources,
    engine: load.engine,
    ramBandwidth,
    loadConfig: withGpuLayers(load, shape),
    format: known.kind === 'mlx' ? 'mlx' : 'gguf',
    quantization: facts?.quantization ?? null,
    fileBytes: null,
  });
}

/** A subject of the shape that usual models of this size have. */
function guessedSubject(
  { sizeBytes, format, fault }: Sized,
  { modelKey, model, ...load }: EstimatedLoad,
  ramBandwidth: number | null,
): SpeedSubject | null {
  if (fault !== null) return null;
  const sized: SizedModel = {
    modelKey,
    ...load,
    ramBandwidth,
    sizes: [sizeBytes],
    model: model ?? { kind: 'llm', format, quantization: null, parameters: null },
  };
  const subject = guessSubject(sized);
  return subject === null || load.gpuLayers === null
    ? subject
    : guessSubject({ ...sized, loadConfig: withGpuLayers(load, subject.shape) });
}

/** The load configuration with the layers on the GPU that the question states. */
function withGpuLayers(
  { loadConfig, gpuLayers }: Pick<EstimatedLoad, 'loadConfig' | 'gpuLayers'>,
  { layers }: ModelShape,
): LoadConfig {
  return gpuLayers === null
    ? loadConfig
    : // The output counts as a layer.
      { ...loadConfig, offloadRatio: Math.min(1, gpuLayers / (layers + 1)) };
}
