/** Codes of `FleetError`. They are API. */
export type FleetErrorCode =
  /** Another program listens on the address. */
  | 'ADDRESS_IN_USE'
  /** This machine belongs to no fleet. */
  | 'NOT_PAIRED'
  /** The fleet's NATS server does not answer, or not in time. */
  | 'FLEET_UNREACHABLE'
  /** This machine does not have the model, and the hosts that have it do not serve the request. The message has their reasons. */
  | 'NO_HOST_SERVES'
  /** A lease at another host has ended without a release. */
  | 'LEASE_LOST'
  /** The invitation is wrong, used, too old, or was tried too often. */
  | 'INVITATION_REFUSED'
  /** No nats-server is installed, or it does not start. */
  | 'NATS_UNAVAILABLE'
  /** A name, an address or a port cannot be used. */
  | 'INVALID_REQUEST'
  /** A file of the fleet (keys, certificates, configuration) cannot be used. */
  | 'FILE_UNUSABLE';

const BRAND = Symbol.for('@mai/fleet/FleetError');

/** A fault of the fleet. Another host's refusal is a value, not an error. */
export class FleetError extends Error {
  override readonly name = 'FleetError';
  readonly code: FleetErrorCode;
  readonly [BRAND] = true;

  constructor(code: FleetErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Whether a value is a `FleetError`, also of another copy of this package. */
export function isFleetError(value: unknown): value is FleetError {
  return typeof value === 'object' && value !== null && BRAND in value;
}
