// Three models of random weights, and the quality that a trained model of their place in a chain would have.
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { noiseModelBytes, noiseModelShape, writeNoiseModel } from '@mai/llama-runtime';

const MIB = 1024 ** 2;

/** The fallback chain, in order of preference. Large contexts, so that a part of each footprint cannot be dropped. */
export const MODELS = [
  { name: 'large', mebibytes: 512, contextLengthTokens: 16_384, quality: 0.9 },
  { name: 'medium', mebibytes: 256, contextLengthTokens: 8192, quality: 0.65 },
  { name: 'small', mebibytes: 128, contextLengthTokens: 4096, quality: 0.4 },
];

/** Writes the files that are not there. */
export async function writeModels(folder) {
  mkdirSync(folder, { recursive: true });
  for (const { name, mebibytes } of MODELS) {
    const file = fileOf(folder, name);
    if (!existsSync(file))
      await writeNoiseModel(file, { name, ...noiseModelShape(mebibytes * MIB) });
  }
}

export function fileOf(folder, name) {
  return path.join(folder, `${name}.gguf`);
}

/** Bytes of the weights of a model. */
export function weightBytesOf(name) {
  const model = MODELS.find((one) => one.name === name);
  return noiseModelBytes(noiseModelShape(model.mebibytes * MIB));
}

export function qualityOf(name) {
  return MODELS.find((one) => one.name === name)?.quality ?? 0;
}
