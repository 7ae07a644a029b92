// Generated from the schema by scripts/generate.mjs. Names the rules that a cached file was checked by.
export const SCHEMA_FINGERPRINT = '38b1c3052642f00f';
