// Generated from the schema by scripts/generate.mjs. Names the rules that a cached file was checked by.
export const SCHEMA_FINGERPRINT = 'e29cb8d05b9807ab';
