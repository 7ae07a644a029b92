import { isCallFault } from '../wire/call-fault.js';
import { type Connection, withLMStudioErrors } from '../wire/connection.js';
import type { Deadline } from '../wire/deadline.js';
import { type SelectedEngine, toSelectedEngine } from '../home/selected-engine.js';

/** LM Studio's version, as it reports it. */
export interface LMStudioVersion {
  readonly version: string;
  readonly build: number;
}

/** LM Link: the machines whose models this LM Studio can use. */
export interface LinkedDevices {
  readonly status: string;
  readonly issues: readonly string[];
  /** The machine that LM Studio runs on. */
  readonly own: { readonly deviceIdentifier: string | null; readonly deviceName: string };
  readonly preferredDeviceIdentifier: string | null;
  readonly peers: readonly {
    readonly deviceIdentifier: string;
    readonly deviceName: string;
    readonly connected: boolean;
  }[];
}

/** Asks for LM Studio's version. */
export async function readVersion(
  connection: Connection,
  deadline: Deadline,
): Promise<LMStudioVersion> {
  return withLMStudioErrors(connection, 'report its version', async () => {
    const { version, build } = await connection.pool.read(
      deadline.spec('system', 'version'),
      (wire) => wire.version(),
    );
    return { version, build };
  });
}

/** The engine for each model format; `null` where this LM Studio does not report it. */
export async function selectedEngines(
  connection: Connection,
  deadline: Deadline,
): Promise<readonly SelectedEngine[] | null> {
  return withLMStudioErrors(connection, 'list its engines', async () => {
    const asked = await connection.pool.readIfAvailable(
      deadline.spec('runtime', 'getEngineSelections'),
      (wire) => wire.getEngineSelections(),
    );
    if (asked === null) return null;
    return [...asked.value].map(([format, { name, version }]) =>
      toSelectedEngine(format, name, version),
    );
  });
}

/** The machines of LM Link; `null` where this LM Studio has no LM Link. */
export async function linkedDevices(
  connection: Connection,
  deadline: Deadline,
): Promise<LinkedDevices | null> {
  return withLMStudioErrors(connection, 'list its LM Link devices', async () => {
    try {
      const asked = await connection.pool.readIfAvailable(
        deadline.optionalSpec('repository', 'lmLinkStatus'),
        (wire) => wire.lmLinkStatus(),
      );
      if (asked === null) return null;
      const link = asked.value;
      return {
        status: link.status,
        issues: link.issues,
        own: { deviceIdentifier: link.deviceIdentifier, deviceName: link.deviceName },
        preferredDeviceIdentifier: link.preferredDeviceIdentifier ?? null,
        peers: link.peers.map(({ deviceIdentifier, deviceName, status }) => ({
          deviceIdentifier,
          deviceName,
          connected: status === 'connected',
        })),
      };
    } catch (error) {
      if (isCallFault(error, 'answered')) return null;
      throw error;
    }
  });
}
