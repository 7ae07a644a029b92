import type { HostModel, HostPool, HostState, HostVersions } from '../state/host-state.js';

/** The questions of a fleet to its own machine. A host of `@mai/host` satisfies this port. */
export interface OwnFactsPort {
  /** Cheap: asked after each change, at most once a second, and every ten seconds. */
  fleetFacts(options?: { readonly signal?: AbortSignal | undefined }): Promise<OwnFacts>;
}

/** The facts of a machine that its fleet needs. */
export interface OwnFacts {
  readonly versions: Omit<HostVersions, 'mai'>;
  readonly pools: readonly HostPool[];
  /** Share of its limit that the fullest pool uses, 0 to 1; null where it is not known. */
  readonly pressureRatio: number | null;
  readonly models: readonly HostModel[];
  /** Model keys in order of preference, by the name of the chain. */
  readonly chains: Readonly<Record<string, readonly string[]>>;
  /** Devices of LM Link that LM Studio on this machine shows: hosts without Mai. */
  readonly linkDevices: readonly LinkDevice[];
  readonly fleet: FleetRules;
}

/** A device of LM Link. Its load and its pressure are not known. */
export interface LinkDevice {
  /** The identifier that LM Studio gives the device. */
  readonly deviceIdentifier: string;
  readonly models: readonly HostModel[];
}

/** The section `fleet` of the machine's configuration. */
export interface FleetRules {
  readonly labels: HostState['labels'];
  /** Chains whose requests other hosts may answer; null: every request may leave. */
  readonly chains: readonly string[] | null;
  readonly requiredLabels: HostState['labels'];
  readonly guests: {
    /** Share of each pool's limit, 0 to 1. */
    readonly memoryRatio: number;
    /** When other hosts may load models here, in minutes of the local day; null: always. */
    readonly hours: { readonly fromMinute: number; readonly toMinute: number } | null;
  };
  /** Generated tokens per second that a model should reach. */
  readonly minTokensPerSecond: number;
}

/** The allowance for guests at a moment; null outside the hours, and where the share is 0. */
export function guestsAt(
  { guests: { memoryRatio, hours } }: FleetRules,
  now: Date,
): HostState['guests'] {
  if (memoryRatio === 0) return null;
  if (hours === null) return { memoryRatio };
  const minute = now.getHours() * 60 + now.getMinutes();
  const { fromMinute, toMinute } = hours;
  const isWithin =
    fromMinute < toMinute
      ? minute >= fromMinute && minute < toMinute
      : minute >= fromMinute || minute < toMinute;
  return isWithin ? { memoryRatio } : null;
}

/** A device of LM Link as a host without Mai. */
export function stateOfDevice({ deviceIdentifier, models }: LinkDevice): HostState {
  return {
    host: deviceIdentifier,
    epoch: '',
    revision: 1,
    address: null,
    labels: {},
    pools: [],
    chains: {},
    guests: null,
    versions: { mai: '', runtime: 'lmstudio', runtimeVersion: null },
    models,
  };
}
