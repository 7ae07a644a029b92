import type { FleetView } from '../fleet-view.js';
import { sentencesOfPlaced } from '../journal/explain-placed.js';
import type { PlacedRequest } from '../journal/placed-request.js';
import type { ExplainedSentence } from '../placement/explain/explained-sentence.js';
import type { KnownHost } from '../state/known-host.js';
import { conditionOf, inOrder, type HostCondition } from './describe-hosts.js';

/** The fleet for a page. Plain data. */
export interface FleetReport extends Omit<FleetView, 'server' | 'hosts' | 'paired' | 'granted'> {
  /** This machine first, then by name, devices of LM Link last. */
  readonly hosts: readonly HostReport[];
  /** The last requests of this gateway that were placed, newest first. */
  readonly placements: readonly PlacementReport[];
}

/** A host, and whether it gets requests. */
export interface HostReport extends KnownHost {
  readonly condition: HostCondition;
}

/** A request of this gateway: who serves it, and why. */
export interface PlacementReport {
  /** The text of the answer's header `x-mai-placement`. */
  readonly id: string;
  /** Epoch milliseconds. */
  readonly atMs: number;
  /** The host that gave a lease; null where none did. */
  readonly host: string | null;
  readonly modelKey: string | null;
  /** The reasons with their figures. */
  readonly sentences: readonly ExplainedSentence[];
}

/** Joins what a machine knows of its fleet for a page. */
export function reportFleet(
  { ownHost, natsServers, connected, fault, displaced, hosts }: FleetView,
  placed: readonly PlacedRequest[],
): FleetReport {
  return {
    ownHost,
    natsServers,
    connected,
    fault,
    displaced,
    hosts: inOrder(hosts, ownHost).map((one) => ({
      ...one,
      condition: conditionOf(one, { ownHost, displaced }),
    })),
    placements: placed.map(reportPlacement),
  };
}

/** Kept, because a report is made every second. */
const reported = new WeakMap<PlacedRequest, PlacementReport>();

function reportPlacement(placed: PlacedRequest): PlacementReport {
  const known = reported.get(placed) ?? explain(placed);
  reported.set(placed, known);
  return known;
}

function explain(placed: PlacedRequest): PlacementReport {
  const last = placed.attempts.at(-1);
  const served = last?.outcome === 'granted' ? last : null;
  return {
    id: placed.id,
    atMs: placed.atMs,
    host: served?.host ?? null,
    modelKey: served?.modelKey ?? null,
    sentences: sentencesOfPlaced(placed),
  };
}
