// The models and the memory of each machine of the fault matrix.
const GIB = 1024 ** 3;

export const TOTAL_BYTES = 32 * GIB;
/** The default of `switching.memory_percent`. */
export const LIMIT_BYTES = 0.8 * TOTAL_BYTES;
/** All models fit beside these. */
export const USUAL_BYTES = 6 * GIB;
/** The large model does not fit beside these; the others do. */
export const SCARCE_BYTES = 22 * GIB;

/** In order of preference. */
export const MODELS = [
  { modelKey: 'bench/large', category: 'large', sizeBytes: 8 * GIB },
  { modelKey: 'bench/other', category: 'medium', sizeBytes: 4 * GIB },
  { modelKey: 'bench/small', category: 'small', sizeBytes: 2 * GIB },
];
