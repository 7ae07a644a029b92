import type { ActiveFault, ActiveFaults } from './active-faults.js';
import type { Fault, FaultScope, FaultType } from './fault.js';

/** The options of one kind of fault. */
export type FaultOptions<T extends FaultType> = Omit<Extract<Fault, { readonly type: T }>, 'type'>;

/**
 * Controls the faults of a simulator. Each method puts one fault in force and returns it. A fault without
 * `times` stays until it is cleared. The options are described at {@link Fault}.
 */
export interface FaultControl {
  /** Puts any fault in force, given as data. @throws SimulatorError `FAULT_INVALID`. */
  inject(fault: Fault): ActiveFault;
  /** Ends all faults. */
  clear(): void;
  /** The guardrails refuse a load. */
  refuseLoad(options?: FaultOptions<'refuse-load'>): ActiveFault;
  /** The engine crashes during a load. */
  crashLoad(options?: FaultOptions<'crash-load'>): ActiveFault;
  /** Memory runs out during a load. */
  outOfMemory(options?: FaultOptions<'out-of-memory'>): ActiveFault;
  /** A load gets fewer tokens of context than requested, without an error. */
  shrinkContext(options: FaultOptions<'shrink-context'>): ActiveFault;
  /** A load gets more tokens of context than requested, without an error. */
  enlargeContext(options?: FaultOptions<'enlarge-context'>): ActiveFault;
  /** The survey of the GPUs fails. */
  surveyError(options?: FaultOptions<'survey-error'>): ActiveFault;
  /** The survey finds no compatible engine. */
  noCompatibleBackends(options?: FaultScope): ActiveFault;
  /** A load makes no more progress and does not end. */
  stallLoad(options?: FaultOptions<'stall-load'>): ActiveFault;
  /** The connection of a load or of a call is cut. */
  dropConnection(options?: FaultOptions<'drop-connection'>): ActiveFault;
  /** LM Studio restarts during a load. */
  restart(options?: FaultOptions<'restart'>): ActiveFault;
  /** Each of several concurrent just-in-time loads loads a copy of its own. */
  duplicateLoads(options?: FaultScope): ActiveFault;
  /** A load aborts the loads in progress. */
  abortConcurrentLoads(options?: FaultScope): ActiveFault;
  /** Calls get no answer. */
  hang(options?: FaultOptions<'hang'>): ActiveFault;
  /** Answers have a wrong shape. */
  invalidResult(options?: FaultOptions<'invalid-result'>): ActiveFault;
  /** Calls are answered with an error. */
  answerError(options?: FaultOptions<'answer-error'>): ActiveFault;
  /** A communication warning is sent before each answer. */
  protocolWarning(options?: FaultOptions<'protocol-warning'>): ActiveFault;
  /** Every frame is late. */
  slowFrames(options: FaultOptions<'slow-frames'>): ActiveFault;
  /** The token or passkey is refused. */
  rejectAuthentication(options?: FaultOptions<'reject-authentication'>): ActiveFault;
  /** Authentication gets no answer. */
  muteAuthentication(options?: FaultScope): ActiveFault;
  /** The WebSocket upgrade gets no answer. */
  ignoreUpgrade(options?: FaultScope): ActiveFault;
  /** The WebSocket upgrade gets a 404. */
  refuseUpgrade(options?: FaultScope): ActiveFault;
  /** Another program answers on this port. */
  notLmStudio(options?: FaultScope): ActiveFault;
  /** The first token of a prediction is late. */
  slowFirstToken(options: FaultOptions<'slow-first-token'>): ActiveFault;
  /** The engine ends during a prediction. */
  crashPrediction(options?: FaultOptions<'crash-prediction'>): ActiveFault;
  /** The instance is unloaded during a prediction. */
  unloadDuringPrediction(options?: FaultOptions<'unload-during-prediction'>): ActiveFault;
  /** The connection of an HTTP answer is cut. */
  cutStream(options?: FaultOptions<'cut-stream'>): ActiveFault;
  /** An HTTP answer fails, in a stream with an error event. */
  streamError(options?: FaultOptions<'stream-error'>): ActiveFault;
  /** An HTTP request gets an error before the first byte. */
  httpError(options?: FaultOptions<'http-error'>): ActiveFault;
}

export function createFaultControl(faults: ActiveFaults): FaultControl {
  const inject = (fault: Fault): ActiveFault => faults.inject(fault);
  return {
    inject,
    clear: () => faults.clear(),
    refuseLoad: (options) => inject({ ...options, type: 'refuse-load' }),
    crashLoad: (options) => inject({ ...options, type: 'crash-load' }),
    outOfMemory: (options) => inject({ ...options, type: 'out-of-memory' }),
    shrinkContext: (options) => inject({ ...options, type: 'shrink-context' }),
    enlargeContext: (options) => inject({ ...options, type: 'enlarge-context' }),
    surveyError: (options) => inject({ ...options, type: 'survey-error' }),
    noCompatibleBackends: (options) => inject({ ...options, type: 'no-compatible-backends' }),
    stallLoad: (options) => inject({ ...options, type: 'stall-load' }),
    dropConnection: (options) => inject({ ...options, type: 'drop-connection' }),
    restart: (options) => inject({ ...options, type: 'restart' }),
    duplicateLoads: (options) => inject({ ...options, type: 'duplicate-loads' }),
    abortConcurrentLoads: (options) => inject({ ...options, type: 'abort-concurrent-loads' }),
    hang: (options) => inject({ ...options, type: 'hang' }),
    invalidResult: (options) => inject({ ...options, type: 'invalid-result' }),
    answerError: (options) => inject({ ...options, type: 'answer-error' }),
    protocolWarning: (options) => inject({ ...options, type: 'protocol-warning' }),
    slowFrames: (options) => inject({ ...options, type: 'slow-frames' }),
    rejectAuthentication: (options) => inject({ ...options, type: 'reject-authentication' }),
    muteAuthentication: (options) => inject({ ...options, type: 'mute-authentication' }),
    ignoreUpgrade: (options) => inject({ ...options, type: 'ignore-upgrade' }),
    refuseUpgrade: (options) => inject({ ...options, type: 'refuse-upgrade' }),
    notLmStudio: (options) => inject({ ...options, type: 'not-lm-studio' }),
    slowFirstToken: (options) => inject({ ...options, type: 'slow-first-token' }),
    crashPrediction: (options) => inject({ ...options, type: 'crash-prediction' }),
    unloadDuringPrediction: (options) => inject({ ...options, type: 'unload-during-prediction' }),
    cutStream: (options) => inject({ ...options, type: 'cut-stream' }),
    streamError: (options) => inject({ ...options, type: 'stream-error' }),
    httpError: (options) => inject({ ...options, type: 'http-error' }),
  };
}
