// Generated from the schema by scripts/generate.mjs. Names the rules that a cached file was checked by.
export const SCHEMA_FINGERPRINT = '0f0e2b1aac4f2f27';
