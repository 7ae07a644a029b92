import type { ServerResponse } from 'node:http';
import { API_HEADERS } from './access/page-headers.js';
import type { FleetPort } from './ports/fleet-port.js';
import type { LivePort } from './ports/live-port.js';
import { sendJson } from './server/responders.js';

/** For a round trip to NATS. Those who ask for readiness usually wait one second. */
const FLEET_DEADLINE_MS = 500;

/** Answers `GET /readyz`: ready where the runtime answers and the gateway takes requests. */
export async function answerReady(
  response: ServerResponse,
  {
    port,
    fleet,
    isStopping,
  }: {
    readonly port: LivePort;
    readonly fleet: FleetPort | null;
    readonly isStopping: () => boolean;
  },
): Promise<void> {
  const [catalog, condition] = await Promise.all([
    port.catalog().catch(() => null),
    fleetCondition(fleet),
  ]);
  const isReady = catalog?.runtimeAnswers === true && !isStopping();
  const body = {
    status: isReady ? 'ready' : 'not ready',
    stopping: isStopping(),
    runtime: catalog?.runtime ?? null,
    lmStudio: catalog?.runtimeVersion ?? null,
    fleet: condition,
  };
  sendJson(response, isReady ? 200 : 503, body, API_HEADERS);
}

/** The condition of this machine in its fleet; null without a fleet, and until the machine has published its state. */
async function fleetCondition(fleet: FleetPort | null): Promise<string | null> {
  if (fleet === null) return null;
  if (!(await fleet.ready({ deadlineMs: FLEET_DEADLINE_MS }))) return 'unreachable';
  const { hosts, ownHost } = fleet.report();
  return hosts.find(({ state }) => state.host === ownHost)?.condition ?? null;
}
