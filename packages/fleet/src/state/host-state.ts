import type { Capability, LoadSpeed, Tier } from '@mai/memory-ledger';

// The messages between hosts. A host writes its state when something changes, and sends a heartbeat every two seconds.

/** The state of a host. Written only when it changes, at most once a second. */
export interface HostState {
  /** Name of the host; unique in its fleet. Lower-case letters, digits and dashes. */
  readonly host: string;
  /** Drawn at each start of the host. Leases of another epoch are void. */
  readonly epoch: string;
  /** Counts the states of an epoch, from 1. */
  readonly revision: number;
  /** Base URL at which gateways of the fleet reach this host, such as `https://10.0.0.7:8899`; null where it serves nobody. */
  readonly address: string | null;
  readonly versions: HostVersions;
  /** Labels of the configuration, such as `site: attic`. */
  readonly labels: Readonly<Record<string, string>>;
  readonly pools: readonly HostPool[];
  readonly models: readonly HostModel[];
  /** Model keys in order of preference, by the name of the chain. Only chains that other hosts may use. */
  readonly chains: Readonly<Record<string, readonly string[]>>;
  /** The allowance for guests now; null where only this host may load a model here. */
  readonly guests: GuestAllowance | null;
}

export interface HostVersions {
  readonly mai: string;
  /** `lmstudio` or `embedded`; null where no runtime answers. */
  readonly runtime: string | null;
  readonly runtimeVersion: string | null;
}

/** One pool of memory and its limit. */
export interface HostPool {
  readonly pool: string;
  readonly totalBytes: number;
  readonly limitBytes: number;
}

/** The allowance for guests by the host's configuration at this hour. */
export interface GuestAllowance {
  /** Share of each pool's limit, 0 to 1. */
  readonly memoryRatio: number;
}

/** Whether a load fits. `after-eviction`: once idle models that Mai loaded are unloaded. Null: not known. */
export type Fit = 'now' | 'after-eviction' | 'no' | null;

/** One model of a host, loaded or on disk. */
export interface HostModel {
  readonly modelKey: string;
  readonly displayName: string;
  readonly kind: 'llm' | 'embedding';
  /** SHA-256 of the file's content, or of its header and size; null where it is not known. Equal digests are the same model. */
  readonly digest: string | null;
  readonly tier: Tier;
  readonly capabilities: readonly Capability[];
  /** Context length of a load; null where it is not known. */
  readonly contextLengthTokens: number | null;
  readonly maxContextLengthTokens: number | null;
  readonly sizeBytes: number | null;
  readonly fit: Fit;
  readonly speed: LoadSpeed | null;
  /** Quality of the answers, 0 to 1; null where it is not known. */
  readonly quality: number | null;
  readonly residents: readonly HostResident[];
}

/** One loaded copy. */
export interface HostResident {
  readonly instanceIdentifier: string;
  readonly contextLengthTokens: number | null;
  /** Bytes of the footprint in all pools; null where it is not known. */
  readonly footprintBytes: number | null;
  /** Whether somebody other than Mai loaded it. */
  readonly foreign: boolean;
  /** Requests that it answers at the same time. */
  readonly parallel: number;
}
