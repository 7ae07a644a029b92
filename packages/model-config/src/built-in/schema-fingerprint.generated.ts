// Generated from the schema by scripts/generate.mjs. Identifies the rules with which a cached file was checked.
export const SCHEMA_FINGERPRINT = '25c77c3fc87aeb4f';
