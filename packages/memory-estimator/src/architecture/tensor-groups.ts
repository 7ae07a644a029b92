import type { GgufTensor } from '../gguf/gguf-header.js';

/** The tensors whose names differ only in the ending: `attn_q.weight` and `attn_q.bias`. */
export interface TensorGroup {
  /** The tensor whose name ends in `.weight` or has no ending. */
  weight: GgufTensor | null;
  bias: GgufTensor | null;
}

export type TensorGroups = ReadonlyMap<string, TensorGroup>;

const LAYER_START = 'blk.';

/** The number of the layer in a tensor's name, `blk.N.PART`; `null` for another name. */
export function layerOf(name: string): number | null {
  const end = name.indexOf('.', LAYER_START.length);
  if (end === -1 || !name.startsWith(LAYER_START)) return null;
  const digits = name.slice(LAYER_START.length, end);
  const layer = Number(digits);
  return Number.isSafeInteger(layer) && layer >= 0 && String(layer) === digits ? layer : null;
}

/** The tensors of a model, sorted by layer. */
export interface GroupedTensors {
  /** Tensors outside of layers, as in the file. */
  readonly outside: readonly GgufTensor[];
  /** Tensors outside of layers, by name. */
  readonly shared: TensorGroups;
  /** Tensors of each layer, by the part of their name after `blk.N.`. */
  readonly layers: readonly TensorGroups[];
}

/** Groups the tensors of each layer, and all other tensors. */
export function groupTensors(tensors: readonly GgufTensor[], layerCount: number): GroupedTensors {
  const outside: GgufTensor[] = [];
  const shared = new Map<string, TensorGroup>();
  const layers = Array.from({ length: layerCount }, () => new Map<string, TensorGroup>());
  for (const tensor of tensors) {
    const { name } = tensor;
    const layer = layers[layerOf(name) ?? -1];
    if (layer === undefined) {
      outside.push(tensor);
      addTo(shared, name, tensor);
    } else addTo(layer, name.slice(name.indexOf('.', LAYER_START.length) + 1), tensor);
  }
  return { outside, shared, layers };
}

function addTo(groups: Map<string, TensorGroup>, name: string, tensor: GgufTensor): void {
  const isBias = name.endsWith('.bias');
  const key = isBias ? name.slice(0, -5) : name.endsWith('.weight') ? name.slice(0, -7) : name;
  let group = groups.get(key);
  if (group === undefined) groups.set(key, (group = { weight: null, bias: null }));
  if (isBias) group.bias = tensor;
  else group.weight = tensor;
}

/** Whether two groups have tensors of the same names, each equal to the other by `isSame`. */
export function haveSame(one: TensorGroups, other: TensorGroups, isSame: IsSame): boolean {
  if (one.size !== other.size) return false;
  for (const [name, { weight, bias }] of one) {
    const group = other.get(name);
    if (group === undefined) return false;
    if (!isSameOrNull(weight, group.weight, isSame) || !isSameOrNull(bias, group.bias, isSame))
      return false;
  }
  return true;
}

type IsSame = (one: GgufTensor, other: GgufTensor) => boolean;

function isSameOrNull(one: GgufTensor | null, other: GgufTensor | null, isSame: IsSame): boolean {
  return one === null || other === null ? one === other : isSame(one, other);
}

/** Whether two tensors have the same extents. */
export function isSameShape({ shape }: GgufTensor, other: GgufTensor): boolean {
  return (
    shape.length === other.shape.length && shape.every((extent, i) => extent === other.shape[i])
  );
}

/** Whether two tensors have the same extents and the same type of numbers. */
export function isSameTensor(one: GgufTensor, other: GgufTensor): boolean {
  return one.type === other.type && isSameShape(one, other);
}
