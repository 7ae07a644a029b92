/**
 * `WORLD_INVALID`, `FAULT_INVALID`: the world or fault has a wrong shape, see `issues`. `PORT_UNAVAILABLE`:
 * the simulator cannot listen on this address and port. `STOPPED`: `restart()` was called after `stop()`.
 */
export type SimulatorErrorCode = 'WORLD_INVALID' | 'FAULT_INVALID' | 'PORT_UNAVAILABLE' | 'STOPPED';

const BRAND = Symbol.for('@mai/lmstudio-simulator/SimulatorError');

/** The error class of this package. */
export class SimulatorError extends Error {
  /** The kind of failure. Codes are API. */
  readonly code: SimulatorErrorCode;
  /**
   * The problems of an invalid world or fault, one line for each problem. A line begins with the path. Empty for
   * other codes.
   */
  readonly issues: readonly string[];
  /** The brand that `isSimulatorError` checks. */
  readonly [BRAND] = true;

  constructor(
    code: SimulatorErrorCode,
    message: string,
    facts: { readonly cause?: unknown; readonly issues?: readonly string[] } = {},
  ) {
    super(message, facts.cause === undefined ? {} : { cause: facts.cause });
    this.name = 'SimulatorError';
    this.code = code;
    this.issues = facts.issues ?? [];
  }
}

/** Whether a value is a {@link SimulatorError} of any copy of this package. */
export function isSimulatorError(value: unknown): value is SimulatorError {
  return typeof value === 'object' && value !== null && BRAND in value;
}
