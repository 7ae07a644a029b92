export { manualClock, realClock } from './clock.js';
export type { ManualClock, SimulatorClock } from './clock.js';
export type { FaultControl, FaultOptions } from './fault-control.js';
export type { ActiveFault, Fault, FaultScope, FaultType } from './faults.js';
export type { MemoryUse } from './host/memory.js';
export type { InstanceStatus, SimulatedResident } from './host/resident.js';
export type { ProfileName } from './profile.js';
export type { SimulatedRequest } from './request-log.js';
export { startSimulator } from './simulator.js';
export type { SimulatedFrame, Simulator, SimulatorOptions } from './simulator.js';
export { isSimulatorError, SimulatorError } from './simulator-error.js';
export type { SimulatorErrorCode } from './simulator-error.js';
export { exampleWorld } from './world/example-worlds.js';
export type { ExampleWorldName } from './world/example-worlds.js';
export { parseWorld } from './world/parse-world.js';
export type {
  World,
  WorldDevice,
  WorldDeviceInput,
  WorldGpu,
  WorldGpuInput,
  WorldGuardrails,
  WorldInput,
  WorldJustInTime,
  WorldMachine,
  WorldMachineInput,
  WorldModel,
  WorldModelGeometry,
  WorldModelInput,
  WorldVariant,
} from './world/world.js';
