import { isFleetError } from '../fleet-error.js';
import { readFleetIdentity } from '../pairing/identity.js';
import { checkNatsServer } from '../pairing/nats-server/check-nats-server.js';
import { describeFault } from '../text/describe-hosts.js';
import { withFleetConnection } from './inspect-fleet.js';

/** One finding, as `mai doctor` shows it. */
export interface FleetCheck {
  readonly name: string;
  readonly state: 'ok' | 'warning' | 'fault';
  readonly message: string;
  /** How to fix it; null where no step is needed. */
  readonly mend: string | null;
}

/** Checks the fleet's files, whether NATS answers, and nats-server where it is here. Empty where this machine is in no fleet. */
export async function checkFleet(
  folder: string,
  signal: AbortSignal,
): Promise<readonly FleetCheck[]> {
  const name = 'Fleet';
  try {
    const { host, authority, natsServers } = await readFleetIdentity(folder);
    const where = natsServers.join(', ');
    const { answers, fault } = await withFleetConnection(folder, signal, async (connection) => ({
      answers: await connection.roundTrip({ deadlineMs: 2000, signal }),
      fault: connection.fault?.message ?? null,
    }));
    const refusal = answers || fault === null ? null : describeFault(fault);
    if (refusal !== null && refusal !== fault)
      return [{ name, state: 'fault', message: refusal, mend: null }];
    const natsServer = await checkNatsServer(folder);
    return [
      answers
        ? {
            name,
            state: 'ok',
            message: `This machine is ${host}. NATS answers at ${where}.`,
            mend: null,
          }
        : {
            name,
            state: 'warning',
            message: `NATS does not answer at ${where}. Until it does, this machine (${host}) serves alone.`,
            mend: `Start \`mai serve --fleet\` again on ${authority}: it starts nats-server. If ${authority} has a new address, run \`mai fleet address ADDRESS\` there, and then here.`,
          },
      ...(natsServer === null ? [] : [natsServer]),
    ];
  } catch (error) {
    if (!isFleetError(error)) throw error;
    if (error.code === 'NOT_PAIRED') return [];
    return [{ name, state: 'fault', message: error.message, mend: null }];
  }
}
