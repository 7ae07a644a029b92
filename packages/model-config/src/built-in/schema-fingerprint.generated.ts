// Generated from the schema by scripts/generate.mjs. Names the rules that a cached file was checked by.
export const SCHEMA_FINGERPRINT = '6f7f2b400b7247b1';
