import type { ActiveFault, Fault, FaultBook, FaultScope, FaultType } from './faults.js';

/** What a fault of a kind can be given. */
export type FaultOptions<T extends FaultType> = Omit<Extract<Fault, { readonly type: T }>, 'type'>;

/**
 * Scripts what goes wrong. Each method puts one fault in force and returns it; without `times` it stays
 * until it is cleared.
 */
export interface FaultControl {
  /** Any fault, as data. @throws SimulatorError `FAULT_INVALID`. */
  inject(fault: Fault): ActiveFault;
  /** Takes all faults back. */
  clear(): void;
  /** The guardrails refuse. */
  refuseLoad(options?: FaultOptions<'refuse-load'>): ActiveFault;
  /** The engine crashes, half-way unless told otherwise. */
  crashLoad(options?: FaultOptions<'crash-load'>): ActiveFault;
  /** Memory runs out, after the weights unless told otherwise. */
  outOfMemory(options?: FaultOptions<'out-of-memory'>): ActiveFault;
  /** Fewer tokens of context than asked for, silently. */
  shrinkContext(options: FaultOptions<'shrink-context'>): ActiveFault;
  /** No more progress, and no end. */
  stallLoad(options?: FaultOptions<'stall-load'>): ActiveFault;
  /** The connection of a load, or of a call, is cut. */
  dropConnection(options?: FaultOptions<'drop-connection'>): ActiveFault;
  /** LM Studio restarts in the middle of a load. */
  restart(options?: FaultOptions<'restart'>): ActiveFault;
  /** Concurrent just-in-time loads bring a copy each. */
  duplicateLoads(options?: FaultScope): ActiveFault;
  /** A load aborts the one that is under way. */
  abortConcurrentLoads(options?: FaultScope): ActiveFault;
  /** No answer to an endpoint, or to any call. */
  hang(options?: FaultOptions<'hang'>): ActiveFault;
  /** An answer of the wrong shape. */
  invalidResult(options?: FaultOptions<'invalid-result'>): ActiveFault;
  /** A communication warning ahead of each answer. */
  protocolWarning(options?: FaultOptions<'protocol-warning'>): ActiveFault;
  /** Every frame is late. */
  slowFrames(options: FaultOptions<'slow-frames'>): ActiveFault;
  /** Token or passkey are refused. */
  rejectAuthentication(options?: FaultOptions<'reject-authentication'>): ActiveFault;
  /** Authentication is never answered. */
  muteAuthentication(options?: FaultScope): ActiveFault;
  /** The WebSocket never opens. */
  ignoreUpgrade(options?: FaultScope): ActiveFault;
  /** The WebSocket upgrade is answered with 404. */
  refuseUpgrade(options?: FaultScope): ActiveFault;
  /** Another program listens on this port. */
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
