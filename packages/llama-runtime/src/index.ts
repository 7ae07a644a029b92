export {
  noiseModelBytes,
  noiseModelShape,
  writeNoiseModel,
  type NoiseModelShape,
} from './noise-model/write-noise-model.js';
export type { EngineFacts, EngineSpec, EngineState } from './process/messages.js';
