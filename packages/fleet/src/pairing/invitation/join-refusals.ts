import { codeOf } from '../../error-facts.js';
import { FleetError } from '../../fleet-error.js';
import { hostAndPort } from '../names.js';
import type { Invitation } from './invitation.js';

/** Faults of a genuine certificate that this machine's clock, or that of the inviting machine, causes. */
const CLOCK_FAULTS: readonly string[] = ['CERT_NOT_YET_VALID', 'CERT_HAS_EXPIRED'];

export function isClockFault(error: unknown): boolean {
  return CLOCK_FAULTS.includes(codeOf(error) ?? '');
}

/** The certificate of the inviting machine is genuine, and not valid by the clock of this machine. */
export function wrongClock({ address, port }: Invitation, cause: unknown): FleetError {
  return new FleetError(
    'INVITATION_REFUSED',
    `By the clock of this machine it is ${new Date().toISOString()}, and at this time the certificate of the inviting machine at ${hostAndPort(address, port)} is not valid. ` +
      'Set the clocks of both machines, and try again. Nothing secret was sent.',
    { cause },
  );
}

/** Another machine than the one that made the invitation answers at its address. */
export function anotherMachine({ address, port }: Invitation): FleetError {
  return new FleetError(
    'INVITATION_REFUSED',
    `Another machine than the one that made this invitation answers at ${hostAndPort(address, port)}. Nothing secret was sent to it. ` +
      'The address may now belong to another machine, or somebody intercepts the connection.',
  );
}
