// Generated from the schema by scripts/generate.mjs. Identifies the rules with which a cached file was checked.
export const SCHEMA_FINGERPRINT = '3a904b6a83d387ec';
