export { createResourceMonitor } from './create-resource-monitor.js';
export type { ResourceMonitorOptions } from './create-resource-monitor.js';
export type {
  CallOptions,
  LimitOptions,
  MonitorHints,
  ResourceMonitor,
  SettledSnapshot,
  WatchOptions,
} from './monitor/resource-monitor.js';
export type { FigureSource, GpuSnapshot, RamSnapshot, ResourceSnapshot } from './snapshot.js';
export type { Series } from './history/history.js';
export type { Trend } from './history/trend.js';
export type { MachineInventory } from './inventory/inventory.js';
export { readPrivateMemory } from './process-memory/read-private-memory.js';
export { createRecorder } from './recording/recorder.js';
export type { Recorder } from './recording/recorder.js';
export { openRecording } from './recording/open-recording.js';
export type { Clock } from './ports/clock.js';
export type { Executor } from './ports/executor.js';
export { isResourceMonitorError, ResourceMonitorError } from './resource-monitor-error.js';
export type { ResourceMonitorErrorCode } from './resource-monitor-error.js';
