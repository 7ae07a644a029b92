import { randomBytes, randomInt } from 'node:crypto';

const BASE_36 = 36n ** 21n;

/** An identifier such as `chatcmpl-t8tsxqx7kwi9ekj70xwwl`: 21 characters, as in captures. */
export function newIdentifier(prefix: 'chatcmpl-' | 'cmpl-' | 'msg_' | 'rs_' | 'fc_'): string {
  const number = BigInt(`0x${randomBytes(16).toString('hex')}`) % BASE_36;
  return prefix + number.toString(36).padStart(21, '0');
}

/** The identifier of a response: 48 hexadecimal characters, as in captures. */
export function newResponseIdentifier(): string {
  return `resp_${randomBytes(24).toString('hex')}`;
}

/** The identifier of a tool call: nine digits, as in captures. */
export function newCallIdentifier(): string {
  return String(randomInt(100_000_000, 1_000_000_000));
}
