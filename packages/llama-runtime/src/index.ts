export type { EngineFacts, EngineSpec, EngineState } from './process/messages.js';
