import type { LoadConfig, LoadSpeed, Resources, SpeedRange } from '@mai/memory-ledger';
import { modelShape } from '@mai/memory-estimator';
import type { LoadEngine } from '../engine/load-engine.js';
import { headerFacts } from '../models/header-facts.js';
import { speedSubjectOf } from '../speeds/speed-subject.js';
import type { Speeds } from '../speeds/speeds.js';
import type { KnownModel } from './open-model.js';

/** How fast a model runs on this machine. */
export interface EstimatedSpeed {
  readonly speed: LoadSpeed;
  /** Generated tokens per second at the end of each asked context, in the order of the question. */
  readonly decodeByContext: readonly SpeedRange[];
}

/** The load whose speed is asked for. */
export interface EstimatedLoad {
  readonly loadConfig: LoadConfig;
  readonly resources: Resources;
  readonly engine: LoadEngine;
  /** Layers on the GPU that the question states; null: those of the load configuration. */
  readonly gpuLayers: number | null;
}

/** The speeds of a model; null where its file or this machine is not known well enough. */
export function estimateSpeed(
  known: KnownModel,
  { loadConfig, resources, engine, gpuLayers }: EstimatedLoad,
  contextLengths: readonly number[],
  speeds: Speeds,
): EstimatedSpeed | null {
  const shape =
    known.kind === 'header'
      ? modelShape(known.header)
      : known.kind === 'mlx'
        ? known.model.shape
        : null;
  if (shape === null || (known.kind === 'header' && headerFacts(known.header).embedding))
    return null;
  const subject = speedSubjectOf({
    ...{ shape, resources, engine },
    loadConfig:
      gpuLayers === null
        ? loadConfig
        : // The output counts as a layer.
          { ...loadConfig, offloadRatio: Math.min(1, gpuLayers / (shape.layers + 1)) },
    format: known.kind === 'mlx' ? 'mlx' : 'gguf',
    quantization: known.kind === 'header' ? headerFacts(known.header).quantization : null,
    fileBytes: null,
    ramBandwidth: speeds.ramBandwidth(),
  });
  const speed = speeds.speedOf(subject);
  if (speed === null) return null;
  const decodeByContext = contextLengths.flatMap(
    (tokens) => speeds.decodeAt(subject, tokens) ?? [],
  );
  return { speed, decodeByContext };
}
