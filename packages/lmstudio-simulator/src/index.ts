export { manualClock, realClock } from './clock/clock.js';
export type { ManualClock, SimulatorClock } from './clock/clock.js';
export type { FaultControl, FaultOptions } from './faults/fault-control.js';
export type { ActiveFault } from './faults/active-faults.js';
export type { Fault, FaultScope, FaultType } from './faults/fault.js';
export type { MemoryGrowth } from './memory/memory-growth.js';
export type { MemoryUse } from './memory/memory.js';
export { withMemoryInUse } from './memory/with-memory-in-use.js';
export type { InstanceStatus } from './runtime/resident.js';
export type { SimulatedResident } from './runtime/simulated-resident.js';
export type { LoadDefaults } from './profile/load-defaults.js';
export type { HttpEndpoint } from './profile/http-api.js';
export type { ProfileName } from './profile/profile.js';
export type { SimulatedRequest } from './request-log.js';
export { startSimulator } from './start-simulator.js';
export type { SimulatedFrame, Simulator, SimulatorOptions } from './simulator.js';
export { isSimulatorError, SimulatorError } from './simulator-error.js';
export type { SimulatorErrorCode } from './simulator-error.js';
export { exampleWorld } from './world/example-worlds.js';
export type { ExampleWorldName } from './world/example-worlds.js';
export { fitWorld } from './world/fit-world.js';
export type { FittedWorld, WorldRoom } from './world/fit-world.js';
export { parseWorld } from './world/parse-world.js';
export type {
  World,
  WorldAnswers,
  WorldDevice,
  WorldGuardrails,
  WorldJustInTime,
  WorldPreset,
} from './world/world.js';
export type { WorldGpu, WorldMachine } from './world/world-machine.js';
export type { WorldModel, WorldModelGeometry, WorldVariant } from './world/world-model.js';
export type {
  WorldDeviceInput,
  WorldGpuInput,
  WorldInput,
  WorldMachineInput,
  WorldModelInput,
} from './world/world-input.js';
