/** The layout of a tensor type in ggml: `blockBytes` bytes for every `blockElements` elements of a row. */
export interface TensorTypeLayout {
  /** ggml_type number, as in a GGUF file. */
  readonly number: number;
  readonly name: string;
  readonly blockElements: number;
  readonly blockBytes: number;
}

const SUPER_BLOCK = 256;

/** The types of ggml/include/ggml.h and ggml/src/ggml-common.h in llama.cpp v0.5.0. */
export const TENSOR_TYPES = {
  F32: layout(0, 'F32', 1, 4),
  F16: layout(1, 'F16', 1, 2),
  Q4_0: layout(2, 'Q4_0', 32, 18),
  Q4_1: layout(3, 'Q4_1', 32, 20),
  Q5_0: layout(6, 'Q5_0', 32, 22),
  Q5_1: layout(7, 'Q5_1', 32, 24),
  Q8_0: layout(8, 'Q8_0', 32, 34),
  Q8_1: layout(9, 'Q8_1', 32, 36),
  Q2_K: layout(10, 'Q2_K', SUPER_BLOCK, 84),
  Q3_K: layout(11, 'Q3_K', SUPER_BLOCK, 110),
  Q4_K: layout(12, 'Q4_K', SUPER_BLOCK, 144),
  Q5_K: layout(13, 'Q5_K', SUPER_BLOCK, 176),
  Q6_K: layout(14, 'Q6_K', SUPER_BLOCK, 210),
  Q8_K: layout(15, 'Q8_K', SUPER_BLOCK, 292),
  IQ2_XXS: layout(16, 'IQ2_XXS', SUPER_BLOCK, 66),
  IQ2_XS: layout(17, 'IQ2_XS', SUPER_BLOCK, 74),
  IQ3_XXS: layout(18, 'IQ3_XXS', SUPER_BLOCK, 98),
  IQ1_S: layout(19, 'IQ1_S', SUPER_BLOCK, 50),
  IQ4_NL: layout(20, 'IQ4_NL', 32, 18),
  IQ3_S: layout(21, 'IQ3_S', SUPER_BLOCK, 110),
  IQ2_S: layout(22, 'IQ2_S', SUPER_BLOCK, 82),
  IQ4_XS: layout(23, 'IQ4_XS', SUPER_BLOCK, 136),
  I8: layout(24, 'I8', 1, 1),
  I16: layout(25, 'I16', 1, 2),
  I32: layout(26, 'I32', 1, 4),
  I64: layout(27, 'I64', 1, 8),
  F64: layout(28, 'F64', 1, 8),
  IQ1_M: layout(29, 'IQ1_M', SUPER_BLOCK, 56),
  BF16: layout(30, 'BF16', 1, 2),
  TQ1_0: layout(34, 'TQ1_0', SUPER_BLOCK, 54),
  TQ2_0: layout(35, 'TQ2_0', SUPER_BLOCK, 66),
  MXFP4: layout(39, 'MXFP4', 32, 17),
  NVFP4: layout(40, 'NVFP4', 64, 36),
  Q1_0: layout(41, 'Q1_0', 128, 18),
  Q2_0: layout(42, 'Q2_0', 64, 18),
};

const BY_NUMBER = new Map(Object.values(TENSOR_TYPES).map((one) => [one.number, one]));

/** The layout with a ggml_type number; `null` for a number that llama.cpp v0.5.0 does not define. */
export function tensorTypeLayout(number: number): TensorTypeLayout | null {
  return BY_NUMBER.get(number) ?? null;
}

/** Bytes of a row. */
export function rowBytes(type: TensorTypeLayout, elements: number): number {
  return Math.floor(elements / type.blockElements) * type.blockBytes;
}

function layout(
  number: number,
  name: string,
  blockElements: number,
  blockBytes: number,
): TensorTypeLayout {
  return { number, name, blockElements, blockBytes };
}
