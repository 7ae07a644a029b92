// Generated from the schema by scripts/generate.mjs. Identifies the rules with which a cached file was checked.
export const SCHEMA_FINGERPRINT = 'ba2d9bed5917a77b';
