import type { GgufHeader, GgufTensor } from '../gguf/gguf-header.js';
import { readHyperparameters, type Hyperparameters } from './hyperparameters.js';
import { agreesWithTensors, describesAllWeights } from './contradictions.js';
import { findLayerPatterns, type LayerPatterns } from './layer-pattern.js';
import { MetadataReader } from './metadata-reader.js';
import { indexWeights, type WeightIndex } from '../parts/weights.js';

/** The tensors that share a name but for its ending: `attn_q.weight` and `attn_q.bias`. */
export interface TensorGroup {
  /** The one that ends in `.weight`, or that has no ending. */
  weight: GgufTensor | null;
  bias: GgufTensor | null;
}

export type TensorGroups = ReadonlyMap<string, TensorGroup>;

/** A header with its tensors sorted by layer and its figures read: what every estimate of it needs. */
export interface ModelIndex {
  readonly header: GgufHeader;
  readonly model: Hyperparameters | null;
  readonly metadata: MetadataReader;
  /** Tensors outside of layers, by name. */
  readonly shared: TensorGroups;
  /** Tensors of each layer, by their name after `blk.N.`. */
  readonly layers: readonly TensorGroups[];
  readonly patterns: LayerPatterns | null;
  readonly weights: WeightIndex;
  /** Metadata and tensors tell the same; see agreesWithTensors. */
  readonly consistent: boolean;
  /** No tensor is missing, and the size of each is known. */
  readonly allWeights: boolean;
}

const indices = new WeakMap<GgufHeader, ModelIndex>();

/** The index of a header; it is made once and lives as long as the header. */
export function indexModel(header: GgufHeader): ModelIndex {
  const known = indices.get(header);
  if (known !== undefined) return known;
  const model = readHyperparameters(header);
  const shared = new Map<string, TensorGroup>();
  const layers = Array.from(
    { length: model?.layersInFile ?? 0 },
    () => new Map<string, TensorGroup>(),
  );
  for (const tensor of header.tensors) {
    const match = /^blk\.(\d+)\.(.*)$/.exec(tensor.name);
    const layer = match === null ? undefined : layers[Number(match[1])];
    if (layer === undefined) addTo(shared, tensor.name, tensor);
    else addTo(layer, match?.[2] as string, tensor);
  }
  const metadata = new MetadataReader(header);
  const patterns = model === null ? null : findLayerPatterns(model, layers);
  const weights = indexWeights(header, model);
  const index: ModelIndex = {
    header,
    model,
    metadata,
    shared,
    layers,
    patterns,
    weights,
    consistent: model !== null && agreesWithTensors(model, shared, layers),
    allWeights: describesAllWeights(header),
  };
  indices.set(header, index);
  return index;
}

function addTo(groups: Map<string, TensorGroup>, name: string, tensor: GgufTensor): void {
  const isBias = name.endsWith('.bias');
  const key = isBias ? name.slice(0, -5) : name.endsWith('.weight') ? name.slice(0, -7) : name;
  let group = groups.get(key);
  if (group === undefined) groups.set(key, (group = { weight: null, bias: null }));
  if (isBias) group.bias = tensor;
  else group.weight = tensor;
}
