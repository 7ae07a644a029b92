// One gateway's view of the fleet. Counts its CPU and heartbeats, and measures when changes become visible if it is asked to.
import { connectFleet, openMembers } from '@mai/fleet';
import { serve } from './processes.mjs';

const { url, name, measures } = JSON.parse(process.argv[2]);
const connection = await connectFleet({ servers: [url], host: name, credentials: null });
let heartbeats = 0;
const counted = {
  ...connection,
  host: connection.host,
  subscribe: (subject, onMessage) =>
    connection.subscribe(subject, (message) => {
      if (message.subject.startsWith('mai.heartbeat.')) heartbeats += 1;
      onMessage(message);
    }),
};
const members = openMembers({ connection: counted, watch: true });

/** Milliseconds from each change until `hosts()` showed it. */
let visibleMs = [];
let stop = new AbortController();
let cpu = process.cpuUsage();

/** `hosts()` is read this often, so a change is seen up to that much later. */
const POLL_MS = 5;
/** A reader that does not see all hosts within this time never will. */
const CONVERGENCE_MS = 90_000;

async function measure(signal) {
  // Changes from before are known already.
  const seen = new Map(members.hosts().map(({ state }) => [state.host, state.revision]));
  while (!signal.aborted) {
    for (const { state } of members.hosts()) {
      if (seen.get(state.host) === state.revision) continue;
      seen.set(state.host, state.revision);
      visibleMs.push(Number(process.hrtime.bigint() - BigInt(state.labels.changedAt)) / 1e6);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

serve({
  'until-usable': async ({ hosts }) => {
    const usable = () => members.hosts().filter((one) => one.usable).length;
    const endsAtMs = performance.now() + CONVERGENCE_MS;
    while (usable() < hosts && performance.now() < endsAtMs)
      await new Promise((resolve) => setTimeout(resolve, 200));
    return { converged: usable() === hosts };
  },
  begin: ({ measures: now = measures }) => {
    visibleMs = [];
    heartbeats = 0;
    stop = new AbortController();
    cpu = process.cpuUsage();
    if (now) void measure(stop.signal);
  },
  end: () => {
    const { user, system } = process.cpuUsage(cpu);
    stop.abort();
    const sorted = [...visibleMs].sort((a, b) => a - b);
    return {
      heartbeats,
      cpuMs: (user + system) / 1000,
      residentBytes: process.memoryUsage.rss(),
      visibleMs: {
        changes: sorted.length,
        median: sorted[Math.floor(sorted.length * 0.5)] ?? null,
        p95: sorted[Math.floor(sorted.length * 0.95)] ?? null,
      },
    };
  },
});
