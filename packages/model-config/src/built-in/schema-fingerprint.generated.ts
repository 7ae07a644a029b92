// Generated from the schema by scripts/generate.mjs: which rules a cached file was held against.
export const SCHEMA_FINGERPRINT = 'bc38d6d65aa20803';
