import type { GgufHeader, GgufTensor } from '../gguf/gguf-header.js';
import { readHyperparameters, type Hyperparameters } from './hyperparameters.js';
import { MetadataReader } from './metadata-reader.js';

/** A header with its tensors sorted by layer and its figures read: what every estimate of it needs. */
export interface ModelIndex {
  readonly header: GgufHeader;
  readonly model: Hyperparameters | null;
  readonly metadata: MetadataReader;
  /** Tensors outside of layers, by name. */
  readonly shared: ReadonlyMap<string, GgufTensor>;
  /** Tensors of each layer, by their name after `blk.N.`. */
  readonly layers: readonly ReadonlyMap<string, GgufTensor>[];
}

const NO_TENSORS: ReadonlyMap<string, GgufTensor> = new Map();
const indices = new WeakMap<GgufHeader, ModelIndex>();

/** The index of a header; it is made once and lives as long as the header. */
export function indexModel(header: GgufHeader): ModelIndex {
  const known = indices.get(header);
  if (known !== undefined) return known;
  const model = readHyperparameters(header);
  const shared = new Map<string, GgufTensor>();
  const layers = Array.from(
    { length: model?.layersInFile ?? 0 },
    () => new Map<string, GgufTensor>(),
  );
  for (const tensor of header.tensors) {
    const match = /^blk\.(\d+)\.(.*)$/.exec(tensor.name);
    const layer = match === null ? undefined : layers[Number(match[1])];
    if (layer === undefined) shared.set(tensor.name, tensor);
    else layer.set(match?.[2] as string, tensor);
  }
  const index = { header, model, metadata: new MetadataReader(header), shared, layers };
  indices.set(header, index);
  return index;
}

/** The tensors of one layer. */
export function layerTensors(index: ModelIndex, il: number): ReadonlyMap<string, GgufTensor> {
  return index.layers[il] ?? NO_TENSORS;
}
