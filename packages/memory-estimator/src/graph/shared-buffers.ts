import type { ModelIndex } from '../architecture/model-index.js';
import { haveSame, isSameTensor } from '../architecture/tensor-groups.js';
import { isGgufArray } from '../gguf/gguf-header.js';
import { itemAt } from '../item-at.js';
import type { ComputeBuffers } from './compute-buffers.js';

/** Kept results of one shape, and kept shapes. Beyond them, all are forgotten: a desktop has fewer. */
const MAX_KEPT = 100;

/** What the graph of a model is built from, and the buffers of its loads so far. */
interface Shape {
  readonly index: ModelIndex;
  readonly buffers: Map<string, ComputeBuffers>;
}

/** Each shape lives as long as one of its models. */
const shapes = new WeakMap<ModelIndex, Shape>();
const shapesByText = new Map<string, WeakRef<Shape>>();

/**
 * The compute buffers of a load. They are computed once for models with equal graphs, such as fine-tunes of one model.
 *
 * @param load Everything that the buffers depend on besides the model.
 */
export function sharedBuffers(
  index: ModelIndex,
  load: string,
  compute: () => ComputeBuffers,
): ComputeBuffers {
  const { buffers } = shapeOf(index);
  const known = buffers.get(load);
  if (known !== undefined) return known;
  const computed = compute();
  if (buffers.size >= MAX_KEPT) buffers.clear();
  buffers.set(load, computed);
  return computed;
}

function shapeOf(index: ModelIndex): Shape {
  const own = shapes.get(index);
  if (own !== undefined) return own;
  const text = figuresOf(index);
  const known = shapesByText.get(text)?.deref();
  const shape =
    known !== undefined && haveSameTensors(known.index, index)
      ? known
      : { index, buffers: new Map<string, ComputeBuffers>() };
  shapes.set(index, shape);
  if (shapesByText.size >= MAX_KEPT) shapesByText.clear();
  if (shape !== known) shapesByText.set(text, new WeakRef(shape));
  return shape;
}

/** The figures of a model, and the metadata of its architecture. Names, licences and the tokenizer do not change the graph. */
function figuresOf({ header, model }: ModelIndex): string {
  const prefix = `${header.architecture ?? ''}.`;
  let text = `${prefix} ${JSON.stringify(model)}`;
  for (const [key, value] of header.metadata) {
    if (!key.startsWith(prefix)) continue;
    const isArray = isGgufArray(value);
    const figures = isArray ? (value.values?.join() ?? value.length) : value;
    text += `\n${key} ${header.valueTypes.get(key) ?? ''} ${isArray} ${figures}`;
  }
  return text;
}

function haveSameTensors(one: ModelIndex, other: ModelIndex): boolean {
  return (
    one.layers.length === other.layers.length &&
    haveSame(one.shared, other.shared, isSameTensor) &&
    one.layers.every((layer, il) => haveSame(layer, itemAt(other.layers, il), isSameTensor))
  );
}
