export {
  createSpeedModel,
  currentObservations,
  nameOfEngine,
} from './predict/create-speed-model.js';
export type {
  SpeedModel,
  SpeedObservation,
  SpeedPrediction,
} from './predict/create-speed-model.js';
export type { SpeedIdentity, SpeedQuestion } from './predict/traits-of.js';
export { generationOf, usualRamBandwidth } from './machine/machine-speed.js';
export type { Backend, Generation, GpuSpeed, MachineSpeed } from './machine/machine-speed.js';
export { isScalar, readsRam } from './physics/question.js';
export type { Placement, SpeedSetting } from './physics/question.js';
export type { DecodeParts } from './physics/decode-parts.js';
export type { PromptParts } from './physics/prompt-parts.js';
export type { SpeedInterval } from './predict/interval.js';
export { gpuSpeedOf } from './machine/gpu-speed-of.js';
export { timeToFirstToken } from './predict/time-to-first-token.js';
export type { FirstTokenPrediction } from './predict/time-to-first-token.js';
export { loadSpeedOf } from './predict/load-speed-of.js';
export { predictLoadTime } from './load/predict-load-time.js';
export type {
  LoadObservation,
  LoadParts,
  LoadQuestion,
  LoadTimePrediction,
} from './load/predict-load-time.js';
