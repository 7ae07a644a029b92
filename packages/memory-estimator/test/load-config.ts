import { DEFAULT_LOAD_CONFIG, type LoadConfig } from '@mai/memory-ledger';

/** Leaves everything but the number of sequences to the engine. */
export const ONE_SEQUENCE: LoadConfig = { ...DEFAULT_LOAD_CONFIG, parallelSequences: 1 };
