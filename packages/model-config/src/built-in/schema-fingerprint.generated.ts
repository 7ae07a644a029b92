// Generated from the schema by scripts/generate.mjs. Names the rules that a cached file was checked by.
export const SCHEMA_FINGERPRINT = 'a4530e108e24b40e';
