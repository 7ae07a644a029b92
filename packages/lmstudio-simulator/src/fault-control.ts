import type { ActiveFault, Fault, FaultBook, FaultScope, FaultType } from './faults.js';

type Options<T extends FaultType> = Omit<Extract<Fault, { readonly type: T }>, 'type'>;

/**
 * Scripts what goes wrong. Each method puts one fault in force and returns it; without `times` it stays
 * until it is cleared.
 */
export interface FaultControl {
  /** Any fault, as data. @throws SimulatorError `FAULT_INVALID`. */
  inject(fault: Fault): ActiveFault;
  /** Takes all faults back. */
  clear(): void;
  refuseLoad(options?: Options<'refuse-load'>): ActiveFault;
  crashLoad(options?: Options<'crash-load'>): ActiveFault;
  outOfMemory(options?: Options<'out-of-memory'>): ActiveFault;
  shrinkContext(options: Options<'shrink-context'>): ActiveFault;
  stallLoad(options?: Options<'stall-load'>): ActiveFault;
  dropConnection(options?: Options<'drop-connection'>): ActiveFault;
  restart(options?: Options<'restart'>): ActiveFault;
  duplicateLoads(options?: FaultScope): ActiveFault;
  abortConcurrentLoads(options?: FaultScope): ActiveFault;
  hang(options?: Options<'hang'>): ActiveFault;
  invalidResult(options?: Options<'invalid-result'>): ActiveFault;
  protocolWarning(options?: Options<'protocol-warning'>): ActiveFault;
  slowFrames(options: Options<'slow-frames'>): ActiveFault;
  rejectAuthentication(options?: Options<'reject-authentication'>): ActiveFault;
  muteAuthentication(options?: FaultScope): ActiveFault;
  ignoreUpgrade(options?: FaultScope): ActiveFault;
  refuseUpgrade(options?: FaultScope): ActiveFault;
  notLmStudio(options?: FaultScope): ActiveFault;
}

export function createFaultControl(faults: FaultBook): FaultControl {
  const inject = (fault: Fault): ActiveFault => faults.inject(fault);
  return {
    inject,
    clear: () => faults.clear(),
    refuseLoad: (options) => inject({ ...options, type: 'refuse-load' }),
    crashLoad: (options) => inject({ ...options, type: 'crash-load' }),
    outOfMemory: (options) => inject({ ...options, type: 'out-of-memory' }),
    shrinkContext: (options) => inject({ ...options, type: 'shrink-context' }),
    stallLoad: (options) => inject({ ...options, type: 'stall-load' }),
    dropConnection: (options) => inject({ ...options, type: 'drop-connection' }),
    restart: (options) => inject({ ...options, type: 'restart' }),
    duplicateLoads: (options) => inject({ ...options, type: 'duplicate-loads' }),
    abortConcurrentLoads: (options) => inject({ ...options, type: 'abort-concurrent-loads' }),
    hang: (options) => inject({ ...options, type: 'hang' }),
    invalidResult: (options) => inject({ ...options, type: 'invalid-result' }),
    protocolWarning: (options) => inject({ ...options, type: 'protocol-warning' }),
    slowFrames: (options) => inject({ ...options, type: 'slow-frames' }),
    rejectAuthentication: (options) => inject({ ...options, type: 'reject-authentication' }),
    muteAuthentication: (options) => inject({ ...options, type: 'mute-authentication' }),
    ignoreUpgrade: (options) => inject({ ...options, type: 'ignore-upgrade' }),
    refuseUpgrade: (options) => inject({ ...options, type: 'refuse-upgrade' }),
    notLmStudio: (options) => inject({ ...options, type: 'not-lm-studio' }),
  };
}
