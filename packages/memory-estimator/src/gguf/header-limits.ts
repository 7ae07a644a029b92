// A file may claim anything. These bounds keep what a header can cost in memory to a few tens of
// megabytes whatever it claims; no model comes near them (the largest known have some 50,000 tensors
// and 100 metadata pairs).
export const MAX_METADATA_PAIRS = 65_536;
export const MAX_TENSORS = 262_144;
export const MAX_KEY_BYTES = 65_535;
export const MAX_NAME_BYTES = 1_024;
export const MAX_DIMENSIONS = 4;
export const MAX_ARRAY_DEPTH = 8;
/** Strings and arrays above these are counted and skipped. */
export const MAX_KEPT_STRING_BYTES = 65_536;
export const MAX_KEPT_ARRAY_LENGTH = 1_024;
/** Metadata keys, strings and names together. */
export const MAX_KEPT_BYTES = 32 * 1024 * 1024;
