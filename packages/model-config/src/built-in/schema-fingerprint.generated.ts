// Generated from the schema by scripts/generate.mjs. Identifies the rules with which a cached file was checked.
export const SCHEMA_FINGERPRINT = '49f58c07298ab8a4';
