// Generated from the schema by scripts/generate.mjs. Identifies the rules with which a cached file was checked.
export const SCHEMA_FINGERPRINT = 'ff0fa5b07d1f94dd';
