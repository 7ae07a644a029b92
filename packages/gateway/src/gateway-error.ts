/** Codes of `GatewayError`. They are API. */
export type GatewayErrorCode =
  /** Another program listens on the address. */
  | 'ADDRESS_IN_USE'
  /** The address cannot be listened on: it is not this machine's, or the port needs other rights. */
  | 'ADDRESS_UNAVAILABLE'
  /** A limit on address space (`ulimit -v`) leaves no room for the gateway's HTTP client. */
  | 'ADDRESS_SPACE'
  /** An address other than loopback needs an API key. */
  | 'KEY_REQUIRED'
  /** A file of keys or certificates cannot be used. */
  | 'FILE_UNUSABLE'
  /** A new API key cannot be made: its name is taken, or a property is out of range. */
  | 'KEY_INVALID';

const BRAND = Symbol.for('@mai/gateway/GatewayError');

/** An error of the gateway's start. Requests are answered with failures instead. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  readonly code: GatewayErrorCode;
  readonly [BRAND] = true;

  constructor(code: GatewayErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Whether a value is a `GatewayError`, also of another copy of this package. */
export function isGatewayError(value: unknown): value is GatewayError {
  return typeof value === 'object' && value !== null && BRAND in value;
}
