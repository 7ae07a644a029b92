import { writeFile } from 'node:fs/promises';
import {
  encodeHeader,
  paddedBytes,
  tensorBytes,
  type TensorShape,
} from '../src/noise-model/gguf-file.js';
import { createRandom } from '../src/noise-model/random.js';

/** Random weights lie between minus this number and this number. */
const SCALE = 0.1;

/** A tensor of 32-bit floats. */
export function tensor(name: string, ...dimensions: readonly number[]): TensorShape {
  return { name, dimensions, type: 'F32' };
}

/** The weights and the bias of a linear layer. */
export function linear(name: string, from: number, to: number): readonly TensorShape[] {
  return [tensor(`${name}.weight`, from, to), tensor(`${name}.bias`, to)];
}

/** The weights and the bias of a layer norm. */
export function norm(name: string, width: number): readonly TensorShape[] {
  return [tensor(`${name}.weight`, width), tensor(`${name}.bias`, width)];
}

/**
 * Writes a GGUF file whose 32-bit floats are random, and 1 in the weights of norms. Other types are 0.
 *
 * @param edit - changes the data of a tensor
 */
export async function writeNoiseFile(
  file: string,
  metadata: Parameters<typeof encodeHeader>[0],
  tensors: readonly TensorShape[],
  edit: (name: string, bytes: Buffer) => void = () => undefined,
): Promise<void> {
  const random = createRandom(1);
  const data = tensors.map((one) => {
    const bytes = Buffer.alloc(paddedBytes(one));
    const isNorm = /(?:norm|ln\d?)\.weight$/.test(one.name);
    if (one.type === 'F32')
      for (let at = 0; at < tensorBytes(one); at += 4)
        bytes.writeFloatLE(isNorm ? 1 : (random() / 2 ** 31 - 1) * SCALE, at);
    edit(one.name, bytes);
    return bytes;
  });
  await writeFile(file, Buffer.concat([encodeHeader(metadata, tensors), ...data]));
}
