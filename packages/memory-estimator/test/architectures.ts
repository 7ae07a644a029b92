import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FileContents, MetadataValue } from './language-model.js';

interface Recorded {
  readonly metadata: Readonly<Record<string, MetadataValue>>;
  readonly tensors: Readonly<Record<string, readonly number[]>>;
  /** Further tensors that llama.cpp loads, each alone. */
  readonly optional?: Readonly<Record<string, readonly number[]>>;
}

/**
 * A small model of each architecture, by name. Each began as an architecture without keys and tensors, and got every key, tensor
 * and shape that build 10257 of llama.cpp (llama.node 1.7.15) asked for, until it loaded.
 */
const RECORDED = JSON.parse(
  readFileSync(join(__dirname, 'architectures.json'), 'utf8'),
) as Readonly<Record<string, Recorded>>;

export const ARCHITECTURES: readonly string[] = Object.keys(RECORDED);

/** Models of architectures whose layers differ, by architecture and kind. They were found in the same way. */
const MIXED = JSON.parse(
  readFileSync(join(__dirname, 'mixed-architectures.json'), 'utf8'),
) as Readonly<Record<string, Recorded>>;

export const MIXED_MODELS: readonly string[] = Object.keys(MIXED);

/** The further tensors that llama.cpp loads for a model of `MIXED_MODELS`. */
export function optionalTensors(name: string): Readonly<Record<string, readonly number[]>> {
  return MIXED[name]?.optional ?? {};
}

/** A model of this architecture that llama.cpp loads. A test may change it before it is written. */
export function architectureModel(name: string): FileContents {
  const { metadata, tensors } = RECORDED[name] ?? MIXED[name] ?? { metadata: {}, tensors: {} };
  return {
    metadata: new Map(Object.entries(metadata)),
    tensors: new Map(Object.entries(tensors).map(([key, shape]) => [key, { shape }] as const)),
  };
}
