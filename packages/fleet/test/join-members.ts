import { openMembers, type Members, type MembersOptions } from '../src/membership/members.js';
import { connectFleet, type FleetConnection } from '../src/nats/connection.js';

/** A host that has joined a fleet. */
export interface JoinedMembers {
  readonly members: Members;
  readonly connection: FleetConnection;
  /** Leaves the fleet, and closes the connection. A second call does nothing. */
  leave(): Promise<void>;
}

/** Joins the fleet of a nats-server that asks for no password, and watches the other hosts. */
export async function joinMembers(
  url: string,
  host: string,
  options: Partial<MembersOptions> = {},
): Promise<JoinedMembers> {
  const connection = await connectFleet({ servers: [url], host, credentials: null });
  const members = openMembers({ connection, watch: true, ...options });
  let left = false;
  const leave = async (): Promise<void> => {
    if (left) return;
    left = true;
    await members[Symbol.asyncDispose]();
    await connection[Symbol.asyncDispose]();
  };
  return { members, connection, leave };
}
