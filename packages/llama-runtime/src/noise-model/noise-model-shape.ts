/** The shape of a model of random weights. */
export interface NoiseModelShape {
  /** Default: `noise`. */
  readonly name?: string;
  /** An embedding model has the architecture of Qwen3, and its result is the mean over its tokens. Default: `llm`. */
  readonly kind?: 'llm' | 'embedding';
  /** 1 to 512, which is llama.cpp's maximum. */
  readonly layers: number;
  /** Size of a token's vector; a multiple of 256. It has a head for each 64 values, and a key head for each 256. */
  readonly width: number;
  /** Number of tokens, at least 259. Default: 512. */
  readonly vocabularySize?: number;
  /** At least 1. Default: 32,768. */
  readonly maxContextLengthTokens?: number;
  /** The same seed gives the same file. Default: 1. */
  readonly seed?: number;
  /** Metadata that is added to the file, or replaces its own, by key. Default: none. */
  readonly metadata?: Readonly<Record<string, string | boolean>>;
}

/** Tokens of the smallest vocabulary: one for each byte, and three that control the chat. */
const LEAST_VOCABULARY = 259;
/** The heads have 64 values, and four of them share one head of the keys. So the heads divide such a width only. */
const WIDTH_STEP = 256;
/** LLAMA_MAX_LAYERS of llama-hparams.h. */
const MOST_LAYERS = 512;
/** GGUF's metadata of a context is a 32-bit number, and llama.cpp counts tokens in signed ones. */
const MOST_TOKENS = 2 ** 31 - 1;
const MOST_SEED = 2 ** 32 - 1;

/** @throws RangeError for a shape whose file llama.cpp would not load, and for a seed that is not a 32-bit number. */
export function checkShape(shape: NoiseModelShape): void {
  const { layers, width, vocabularySize, maxContextLengthTokens, seed } = shape;
  checkWhole('layers', layers, 1, MOST_LAYERS);
  checkWhole('width', width, WIDTH_STEP);
  if (width % WIDTH_STEP !== 0) {
    const heads = 'because its heads have 64 values and four of them share the keys of one head';
    throw new RangeError(`width must be a multiple of ${WIDTH_STEP}, not ${width}, ${heads}.`);
  }
  checkWhole('vocabularySize', vocabularySize ?? LEAST_VOCABULARY, LEAST_VOCABULARY);
  checkWhole('maxContextLengthTokens', maxContextLengthTokens ?? 1, 1);
  checkWhole('seed', seed ?? 0, 0, MOST_SEED);
}

function checkWhole(name: string, value: number, least: number, most = MOST_TOKENS): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new RangeError(`${name} must be a whole number from ${least} to ${most}, not ${value}.`);
}
