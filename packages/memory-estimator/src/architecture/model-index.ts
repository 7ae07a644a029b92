import type { GgufHeader } from '../gguf/gguf-header.js';
import { itemAt } from '../item-at.js';
import { readHyperparameters, type Hyperparameters } from './hyperparameters.js';
import { agreesWithTensors, describesAllWeights } from './contradictions.js';
import { findLayerPatterns, type LayerPatterns } from './layer-pattern.js';
import { MetadataReader } from './metadata-reader.js';
import { groupTensors, type GroupedTensors, type TensorGroups } from './tensor-groups.js';
import { indexWeights, type WeightIndex } from './weight-index.js';

/** The figures of a header, and its tensors sorted by layer. All estimates of the model use them. */
export interface ModelIndex extends GroupedTensors {
  readonly header: GgufHeader;
  /** `null` where the header lacks figures; see `readHyperparameters`. */
  readonly model: Hyperparameters | null;
  readonly metadata: MetadataReader;
  readonly patterns: LayerPatterns | null;
  readonly weights: WeightIndex;
  /** Whether metadata and tensors agree; see `agreesWithTensors`. */
  readonly consistent: boolean;
  /** Whether every tensor is described, with a type of a known size. */
  readonly allWeights: boolean;
}

const indices = new WeakMap<GgufHeader, ModelIndex>();

/** The index of a header. It is computed once and kept as long as the header. */
export function indexModel(header: GgufHeader): ModelIndex {
  const known = indices.get(header);
  if (known !== undefined) return known;
  const model = readHyperparameters(header);
  const grouped = groupTensors(header.tensors, model?.layersInFile ?? 0);
  const metadata = new MetadataReader(header);
  const patterns = model === null ? null : findLayerPatterns(model, grouped.layers);
  const weights = indexWeights(header, model);
  const index: ModelIndex = {
    header,
    model,
    metadata,
    ...grouped,
    patterns,
    weights,
    consistent: model !== null && agreesWithTensors(model, grouped.shared, grouped.layers),
    allWeights: describesAllWeights(header),
  };
  indices.set(header, index);
  return index;
}

/** The layers of a model that differ from earlier ones, see `LayerPatterns.distinct`, with their numbers. */
export function* distinctLayers({
  layers,
  patterns,
}: ModelIndex): Generator<readonly [il: number, tensors: TensorGroups]> {
  for (const il of patterns?.distinct ?? []) yield [il, itemAt(layers, il)];
}
