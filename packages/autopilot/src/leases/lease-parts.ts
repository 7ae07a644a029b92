import type { PublishedEvent } from '../events/autopilot-event.js';
import type { AutopilotSettings } from '../autopilot-options.js';
import type { CatalogPort } from '../ports/catalog-port.js';
import { HeldLeases } from './held-leases.js';
import { Leases } from './leases.js';
import { RequestDrains } from './request-drains.js';
import { TargetCatalog } from './target-catalog.js';

/** The parts that give leases. */
export interface LeaseParts {
  readonly leases: Leases;
  readonly held: HeldLeases;
  readonly drains: RequestDrains;
  readonly targets: TargetCatalog;
}

/** @param onWaiting - called when a caller begins to wait. */
export function createLeaseParts(
  settings: AutopilotSettings,
  catalog: CatalogPort,
  publish: (event: PublishedEvent) => void,
  onWaiting: () => void,
): LeaseParts {
  const { clock } = settings;
  // A request without a chain means the autopilot's own chain.
  const ownChain = (chain: string | null) => chain ?? settings.request.chain ?? null;
  const targets = new TargetCatalog(
    { read: (question) => catalog.read({ ...question, chain: ownChain(question.chain) }) },
    clock,
  );
  const drains = new RequestDrains(
    clock,
    () => ({
      deadlineMs: settings.timings.drainDeadlineMs,
      pauseMs: settings.timings.putOff.baseMs,
    }),
    publish,
  );
  const held = new HeldLeases(clock, () => settings.timings.retainMs);
  const isDrained = (identifier: string) => drains.isDrained(identifier);
  const leases = new Leases({ catalog: targets, held, isDrained, onWaiting });
  return { leases, held, drains, targets };
}
