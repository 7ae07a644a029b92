/** Elements and bytes of one block of each tensor type (ggml/src/ggml-common.h). */
export const BLOCKS = {
  F32: [1, 4],
  F16: [1, 2],
  Q8_0: [32, 34],
  Q6_K: [256, 210],
  Q5_K: [256, 176],
  Q5_1: [32, 24],
  Q5_0: [32, 22],
  Q4_K: [256, 144],
  MXFP4: [32, 17],
};

/** Bytes of this many elements. */
export function bytesOf(type, elements) {
  const [size, bytes] = BLOCKS[type];
  return (elements / size) * bytes;
}
