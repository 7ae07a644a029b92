/** How ggml stores one type: `blockBytes` bytes for every `blockElements` elements of a row. */
export interface TensorTypeLayout {
  readonly name: string;
  readonly blockElements: number;
  readonly blockBytes: number;
}

const SUPER_BLOCK = 256;

/** ggml_type number -> layout; ggml/include/ggml.h and ggml/src/ggml-common.h of llama.cpp v0.5.0. */
const LAYOUTS: Readonly<Record<number, TensorTypeLayout>> = {
  0: layout('F32', 1, 4),
  1: layout('F16', 1, 2),
  2: layout('Q4_0', 32, 18),
  3: layout('Q4_1', 32, 20),
  6: layout('Q5_0', 32, 22),
  7: layout('Q5_1', 32, 24),
  8: layout('Q8_0', 32, 34),
  9: layout('Q8_1', 32, 36),
  10: layout('Q2_K', SUPER_BLOCK, 84),
  11: layout('Q3_K', SUPER_BLOCK, 110),
  12: layout('Q4_K', SUPER_BLOCK, 144),
  13: layout('Q5_K', SUPER_BLOCK, 176),
  14: layout('Q6_K', SUPER_BLOCK, 210),
  15: layout('Q8_K', SUPER_BLOCK, 292),
  16: layout('IQ2_XXS', SUPER_BLOCK, 66),
  17: layout('IQ2_XS', SUPER_BLOCK, 74),
  18: layout('IQ3_XXS', SUPER_BLOCK, 98),
  19: layout('IQ1_S', SUPER_BLOCK, 50),
  20: layout('IQ4_NL', 32, 18),
  21: layout('IQ3_S', SUPER_BLOCK, 110),
  22: layout('IQ2_S', SUPER_BLOCK, 82),
  23: layout('IQ4_XS', SUPER_BLOCK, 136),
  24: layout('I8', 1, 1),
  25: layout('I16', 1, 2),
  26: layout('I32', 1, 4),
  27: layout('I64', 1, 8),
  28: layout('F64', 1, 8),
  29: layout('IQ1_M', SUPER_BLOCK, 56),
  30: layout('BF16', 1, 2),
  34: layout('TQ1_0', SUPER_BLOCK, 54),
  35: layout('TQ2_0', SUPER_BLOCK, 66),
  39: layout('MXFP4', 32, 17),
  40: layout('NVFP4', 64, 36),
  41: layout('Q1_0', 128, 18),
  42: layout('Q2_0', 64, 18),
};

/** The layout of a ggml type number, or null where this release of llama.cpp knows none. */
export function tensorTypeLayout(type: number): TensorTypeLayout | null {
  return LAYOUTS[type] ?? null;
}

function layout(name: string, blockElements: number, blockBytes: number): TensorTypeLayout {
  return { name, blockElements, blockBytes };
}
