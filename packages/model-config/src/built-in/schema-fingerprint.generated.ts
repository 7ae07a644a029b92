// Generated from the schema by scripts/generate.mjs: which rules a cached file was held against.
export const SCHEMA_FINGERPRINT = 'b19cb56bc9074080';
