// A file may claim anything. These bounds keep what a model's header can cost, in memory and in time, to a
// few tens of megabytes and seconds whatever it claims; no model comes near them (the largest known have some
// 50,000 tensors, 100 metadata pairs and 600,000 strings in their vocabularies).
export const MAX_METADATA_PAIRS = 65_536;
export const MAX_TENSORS = 262_144;
export const MAX_KEY_BYTES = 65_535;
export const MAX_NAME_BYTES = 1_024;
export const MAX_DIMENSIONS = 4;
export const MAX_ARRAY_DEPTH = 8;
/** Strings and arrays above these are counted and skipped. */
export const MAX_KEPT_STRING_BYTES = 65_536;
export const MAX_KEPT_ARRAY_LENGTH = 1_024;
/** Of all files of a model together: metadata, names and tensors. */
export const MAX_KEPT_BYTES = 32 * 1024 * 1024;
/** Strings and nested arrays of all files of a model together, kept or not: they are walked one by one. */
export const MAX_WALKED = 2 ** 24;
/** Beyond this no tensor lies: a pebibyte. */
export const MAX_OFFSET_BYTES = 2 ** 50;
