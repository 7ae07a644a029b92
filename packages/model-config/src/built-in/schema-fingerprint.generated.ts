// Generated from the schema by scripts/generate.mjs: which rules a cached file was held against.
export const SCHEMA_FINGERPRINT = '5fd8acf18cf7db18';
