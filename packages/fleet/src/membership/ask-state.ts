import { systemClock } from '../clock.js';
import { isFleetError } from '../fleet-error.js';
import {
  connectFleet,
  type ConnectFleetOptions,
  type FleetConnection,
} from '../nats/connection.js';
import { requestSubject } from '../nats/subjects.js';
import { untilConnected } from '../nats/until-connected.js';
import type { Decoded } from '../state/decoded.js';
import { decodeHostState } from '../state/host-state-codec.js';
import type { HostState } from '../state/host-state.js';

const CONNECT_DEADLINE_MS = 2000;
/** A host answers at once. A slow machine or a slow network needs more time. */
const ANSWER_TIMEOUT_MS = 1000;

/** Asks a host for its state. @throws FleetError `FLEET_UNREACHABLE`; the signal's reason */
export async function askState(
  connection: FleetConnection,
  host: string,
  limits: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<Decoded<HostState>> {
  const subject = requestSubject(host, 'describe', connection.host);
  return decodeHostState(await connection.request(subject, '', limits), host);
}

/** Asks hosts for their states by a new connection to one nats-server. Returns the states of those that answer. */
export async function askStatesAt(
  server: string,
  hosts: readonly string[],
  options: ConnectFleetOptions & { readonly signal: AbortSignal },
): Promise<readonly HostState[]> {
  const { clock = systemClock, signal } = options;
  await using connection = await connectFleet({ ...options, servers: [server] });
  if (!(await untilConnected(connection, { clock, deadlineMs: CONNECT_DEADLINE_MS, signal })))
    return [];
  const ask = async (host: string): Promise<readonly HostState[]> => {
    try {
      const answer = await askState(connection, host, { timeoutMs: ANSWER_TIMEOUT_MS, signal });
      return answer.ok ? [answer.value] : [];
    } catch (error) {
      if (isFleetError(error) || signal.aborted) return [];
      throw error;
    }
  };
  return (await Promise.all(hosts.map(ask))).flat();
}
