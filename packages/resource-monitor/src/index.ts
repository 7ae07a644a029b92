export { createResourceMonitor } from './create-resource-monitor.js';
export type { ResourceMonitorOptions } from './create-resource-monitor.js';
export type {
  CallOptions,
  LimitOptions,
  MonitorHints,
  ResourceMonitor,
} from './monitor/resource-monitor.js';
export type { SettledSnapshot } from './sampling/settle-detector.js';
export type { WatchOptions } from './sampling/watch-loop.js';
export type {
  CpuSnapshot,
  EngineProcess,
  FigureSource,
  GpuSnapshot,
  PassedOver,
  PowerSnapshot,
  PressureSnapshot,
  RamSnapshot,
  ResourceSnapshot,
  SwapSnapshot,
} from './snapshot.js';
export type { HistoryBucket, HistoryOptions, Series } from './history/history.js';
export type { Trend, TrendOptions } from './history/trend.js';
export { gpusInSurvey, matchSurvey, sizeOf } from './gpu/match-survey.js';
export type { HardwareSurveyFacts, ListedGpu, SurveyedGpuFacts } from './gpu/match-survey.js';
export type { InventoryGpu, MachineInventory } from './inventory/inventory.js';
export { readPrivateMemory } from './process-memory/read-private-memory.js';
export { createRecorder } from './recording/recorder.js';
export type { Recorder } from './recording/recorder.js';
export { openRecording } from './recording/open-recording.js';
export type { ReplayOptions } from './recording/open-recording.js';
export type { Clock } from './ports/clock.js';
export { isResourceMonitorError, ResourceMonitorError } from './resource-monitor-error.js';
export type {
  ResourceMonitorErrorCode,
  ResourceMonitorErrorFacts,
} from './resource-monitor-error.js';
