import type { GgufTensor } from '../gguf/gguf-header.js';

/** The tensors that share a name but for its ending: `attn_q.weight` and `attn_q.bias`. */
export interface TensorGroup {
  /** The one that ends in `.weight`, or that has no ending. */
  weight: GgufTensor | null;
  bias: GgufTensor | null;
}

export type TensorGroups = ReadonlyMap<string, TensorGroup>;

/** Tensors outside of layers by name, and those of each layer by their name after `blk.N.`. */
export function groupTensors(
  tensors: readonly GgufTensor[],
  layerCount: number,
): { readonly shared: TensorGroups; readonly layers: readonly TensorGroups[] } {
  const shared = new Map<string, TensorGroup>();
  const layers = Array.from({ length: layerCount }, () => new Map<string, TensorGroup>());
  for (const tensor of tensors) {
    const match = /^blk\.(\d+)\.(.*)$/.exec(tensor.name);
    const layer = match === null ? undefined : layers[Number(match[1])];
    if (layer === undefined) addTo(shared, tensor.name, tensor);
    else addTo(layer, match?.[2] as string, tensor);
  }
  return { shared, layers };
}

function addTo(groups: Map<string, TensorGroup>, name: string, tensor: GgufTensor): void {
  const isBias = name.endsWith('.bias');
  const key = isBias ? name.slice(0, -5) : name.endsWith('.weight') ? name.slice(0, -7) : name;
  let group = groups.get(key);
  if (group === undefined) groups.set(key, (group = { weight: null, bias: null }));
  if (isBias) group.bias = tensor;
  else group.weight = tensor;
}
