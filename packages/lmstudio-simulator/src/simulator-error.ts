/**
 * `WORLD_INVALID`, `FAULT_INVALID`: not the right shape, see `issues`. `PORT_UNAVAILABLE`: cannot listen
 * there. `STOPPED`: a restart after `stop()`.
 */
export type SimulatorErrorCode = 'WORLD_INVALID' | 'FAULT_INVALID' | 'PORT_UNAVAILABLE' | 'STOPPED';

const BRAND = Symbol.for('@mai/lmstudio-simulator/SimulatorError');

/** The one error class of this package. `issues` lists every problem of an invalid world. */
export class SimulatorError extends Error {
  /** What went wrong, for programs. */
  readonly code: SimulatorErrorCode;
  /** Every problem, one line each, starting with its place. Empty where there is only the message. */
  readonly issues: readonly string[];
  /** Recognized by `isSimulatorError`, also in another copy of this package. */
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

/** Whether a value is a {@link SimulatorError}, also across copies of this package. */
export function isSimulatorError(value: unknown): value is SimulatorError {
  return typeof value === 'object' && value !== null && BRAND in value;
}
