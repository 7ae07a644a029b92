import { useEffect, useRef, useState } from 'preact/hooks';
import type { Fleet, FleetHost } from '../api/api.generated.js';
import { messageOf } from '../api/client.js';
import { usePage } from '../shell/page-context.js';
import { Panel } from '../shell/panel.js';
import { plural } from '../words/format.js';
import { SPEED_LEGEND } from '../words/speed.js';
import { describeCondition } from './condition.js';
import { HostRow } from './host-row.js';
import { NoFleet } from './no-fleet.js';
import { Placements } from './placements.js';

type Member = Extract<Fleet, { readonly state: 'member' }>;

/** The hosts of the fleet, and where the last requests of this gateway went. `seen` grows when something has changed. */
export function FleetPage({ seen, nowMs }: { readonly seen: number; readonly nowMs: number }) {
  const { api } = usePage();
  const [fleet, setFleet] = useState<Fleet | null>(null);
  const [fault, setFault] = useState<string | null>(null);

  useEffect(() => {
    const stop = new AbortController();
    api.read('fleet', {}, stop.signal).then(
      (answer) => {
        setFleet(answer);
        setFault(null);
      },
      (error: unknown) => {
        if (!stop.signal.aborted) setFault(messageOf(error));
      },
    );
    return () => stop.abort();
  }, [api, seen]);

  if (fleet?.state === 'none') return <NoFleet />;
  return (
    <div class="fleet-page">
      <Panel
        id="hosts"
        title="Hosts"
        fault={fault}
        aside={fleet === null ? undefined : describeNats(fleet)}
      >
        {fleet === null ? (
          fault === null && <p class="soft">Reading the fleet …</p>
        ) : (
          <Hosts fleet={fleet} />
        )}
      </Panel>
      {fleet !== null && <Placements placements={fleet.placements} nowMs={nowMs} />}
    </div>
  );
}

function Hosts({ fleet }: { readonly fleet: Member }) {
  const { hosts, hostCount, connected, fault } = fleet;
  const elapsedMs = useElapsed(fleet);
  useSpokenChanges(fleet);
  return (
    <>
      {!connected && (
        <p class="notice">
          NATS does not answer{fault === null ? '' : ` (${fault})`}. This machine serves alone until
          it does, and the other hosts below are as they were last heard.
        </p>
      )}
      <ul class="host-list" aria-label="Hosts of the fleet">
        {hosts.map((host) => (
          <HostRow key={host.host} host={host} elapsedMs={elapsedMs} />
        ))}
      </ul>
      {hostCount > hosts.length && (
        <p class="soft">{plural(hostCount - hosts.length, 'more host')} cannot be shown here.</p>
      )}
      {hosts.some(tellsSpeed) && <p class="soft">{SPEED_LEGEND}</p>}
      {hostCount === 1 && (
        <p class="soft">
          No other host yet. <code>mai fleet invite</code> on the machine that made the fleet prints
          an invitation for one.
        </p>
      )}
    </>
  );
}

function tellsSpeed({ residents, fits }: FleetHost): boolean {
  return [...residents, ...fits].some(({ speed }) => speed !== null);
}

function describeNats({ connected, natsServers }: Member): string {
  return `NATS ${natsServers.join(', ')}: ${connected ? 'connected' : 'no answer'}`;
}

/** Milliseconds since an answer arrived, renewed every second. */
function useElapsed(answer: Fleet): number {
  const [elapsedMs, setElapsedMs] = useState(0);
  useEffect(() => {
    const arrivedMs = performance.now();
    setElapsedMs(0);
    const timer = setInterval(() => setElapsedMs(performance.now() - arrivedMs), 1000);
    return () => clearInterval(timer);
  }, [answer]);
  return elapsedMs;
}

/** Tells a screen reader which hosts came, went or changed their condition. Load and memory change too often for that. */
function useSpokenChanges({ hosts }: Member): void {
  const { announce } = usePage();
  const before = useRef<ReadonlyMap<string, string> | null>(null);
  useEffect(() => {
    const known = before.current;
    before.current = new Map(hosts.map(({ host, condition }) => [host, condition]));
    if (known === null) return;
    const changed = hosts.filter(({ host, condition }) => known.get(host) !== condition);
    const gone = [...known.keys()].filter((name) => !hosts.some(({ host }) => host === name));
    const texts = [
      ...changed.map((one) => `${one.host}: ${describeCondition(one, 0)}`),
      ...gone.map((host) => `${host}: removed`),
    ];
    if (texts.length > 0) announce(`${texts.join('. ')}.`);
  }, [hosts, announce]);
}
