// The invariants of the fault matrix, checked over the events of machines and clients. Pure functions. Times are milliseconds of
// one monotonic clock.
import { LIMIT_BYTES } from './world.mjs';

/** Time from the end of a fault until every host knows the newest state of every other. */
const CONVERGES_MS = 5000;
/** Memory that other programs took longer ago than this was known when a load was decided, because a load takes a second. */
const KNOWN_MS = 4000;
/** A machine prints a view every 250 ms. One that prints none for so long has no CPU time, and proves nothing. */
const STARVED_MS = 1000;
/** A lost request, a silence or a lack of agreement proves nothing if a process that took part waited for a CPU for this share of the time. */
const STARVED_SHARE = 0.5;
/** Where a gateway ended a request before LM Studio read it, LM Studio notices within this time. */
const TAKEN_BACK_MS = 1000;
/** Longest time between two answers of a machine that no other machine reaches. */
const LONGEST_SILENCE_MS = 10_000;

/**
 * @param events - of machine.mjs and client.mjs, in order of time
 * @param faults - `{ kind, hosts, startMs, endMs }[]`
 * @returns `{ name, checks, broken, starved }[]`; `starved` checks are not counted, because a process had no CPU time
 */
export function checkInvariants(events, faults, hosts) {
  return [
    check('no host exceeds its limit by a load of its own', memoryLimits(events)),
    check('no request is lost without an error of its protocol', answers(events, faults)),
    check('no request runs again after its client got the answer', runs(events)),
    check('no lease is honoured by two epochs', leases(events)),
    check('all hosts agree within 5 s of healing', convergence(events, faults, hosts)),
    check('a machine that nobody reaches keeps serving its own clients', loneHosts(events, faults)),
  ];
}

function check(name, results) {
  const counted = results.filter((result) => result !== STARVED);
  return {
    name,
    checks: counted.length,
    broken: counted.filter((fault) => fault !== null),
    starved: results.length - counted.length,
  };
}

const STARVED = Symbol('starved');

function memoryLimits(events) {
  const lastChangeMs = new Map();
  const lastOthers = new Map();
  const results = [];
  for (const event of events) {
    if (event.othersBytes === undefined) continue;
    const { host, atMs, othersBytes, usedBytes } = event;
    if (lastOthers.get(host) !== othersBytes) lastChangeMs.set(host, atMs);
    lastOthers.set(host, othersBytes);
    if (event.type !== 'loaded' || atMs - lastChangeMs.get(host) < KNOWN_MS) continue;
    const isOver = othersBytes + usedBytes > LIMIT_BYTES;
    results.push(isOver ? { host, atMs, othersBytes, usedBytes, limitBytes: LIMIT_BYTES } : null);
  }
  return results;
}

function answers(events, faults) {
  const waitedMs = waitedForCpu(events);
  return events
    .filter(({ type }) => type === 'answer')
    .map(({ host, id, outcome, detail, sentMs, endMs, waitedMs: clientMs }) => {
      if (outcome === 'answered' || outcome === 'error') return null;
      // Clients of a killed gateway see a broken connection.
      const wasKilled = faults.some(
        ({ kind, hosts, startMs, endMs: healedMs }) =>
          kind === 'kill-host' && hosts.includes(host) && endMs >= startMs && sentMs <= healedMs,
      );
      const isBroken = outcome === 'broken' || outcome === 'incomplete';
      if (wasKilled && isBroken) return null;
      const longestMs = Math.max(clientMs, waitedMs(host, sentMs, endMs));
      const isStarved = outcome === 'lost' && longestMs >= (endMs - sentMs) * STARVED_SHARE;
      return isStarved ? STARVED : { host, id, outcome, detail, sentMs, endMs, longestMs };
    });
}

/** For how long the process of a host was ready to run but had no CPU, between two times. */
function waitedForCpu(events) {
  const viewsOf = new Map();
  for (const view of events.filter(({ type }) => type === 'view')) {
    const views = viewsOf.get(view.host) ?? [];
    views.push(view);
    viewsOf.set(view.host, views);
  }
  return (host, fromMs, toMs) =>
    (viewsOf.get(host) ?? [])
      .filter(({ atMs }) => atMs > fromMs && atMs <= toMs)
      .reduce((sum, { waitedMs }) => sum + waitedMs, 0);
}

function runs(events) {
  // A process that got no CPU time reads its connections late. So LM Studio can get a request that the gateway ended long before.
  // It notices at once and doesn't answer, so such a request has not run.
  const takenBack = new Set(
    events
      .filter(({ type, afterMs }) => type === 'taken-back' && Math.abs(afterMs) < TAKEN_BACK_MS)
      .map(({ host, id }) => `${host} ${id}`),
  );
  const endOf = new Map(
    events
      .filter(({ type, outcome }) => type === 'answer' && outcome === 'answered')
      .map(({ id, endMs }) => [id, endMs]),
  );
  // A machine reports its runs just before it prints a view, so a run began after the previous view.
  const lookedMs = new Map();
  const results = [];
  for (const { type, id, host, atMs } of events) {
    if (type === 'view') lookedMs.set(host, atMs);
    if (type !== 'run' || takenBack.has(`${host} ${id}`)) continue;
    const endMs = endOf.get(id);
    const isLater = endMs !== undefined && (lookedMs.get(host) ?? 0) > endMs;
    results.push(isLater ? { id, host, atMs, endMs } : null);
  }
  return results;
}

function leases(events) {
  const epochs = new Map();
  return events
    .filter(({ type, isHonoured }) => type === 'lease' && isHonoured)
    .map(({ lease, host, epoch, atMs }) => {
      const before = epochs.get(lease) ?? epoch;
      epochs.set(lease, before);
      return before === epoch ? null : { lease, host, atMs, epochs: [before, epoch] };
    });
}

function convergence(events, faults, hosts) {
  const views = events.filter(({ type }) => type === 'view');
  const waitedMs = waitedForCpu(events);
  return faults.flatMap(({ kind, hosts: hit, endMs }) => {
    const dueMs = endMs + CONVERGES_MS;
    const seen = views.filter(({ atMs }) => atMs > endMs && atMs <= dueMs);
    const isStarved = hosts.some(
      (host) =>
        longestGapMs(seen, host, endMs, dueMs) > STARVED_MS ||
        waitedMs(host, endMs, dueMs) >= CONVERGES_MS * STARVED_SHARE,
    );
    return hosts.map((host) => {
      const converged = seen.some((view) => view.host === host && knowsAll(view, seen, hosts));
      if (converged) return null;
      return isStarved ? STARVED : { after: kind, hit, host, healedMs: endMs };
    });
  });
}

/** Longest time without a view of a host. */
function longestGapMs(views, host, fromMs, toMs) {
  const times = views.filter((view) => view.host === host).map(({ atMs }) => atMs);
  const all = [fromMs, ...times, toMs];
  return Math.max(...all.slice(1).map((atMs, i) => atMs - all[i]));
}

/** Whether the view of a host has, for every host, the epoch and the revision that the viewed host itself reported at about that time. */
function knowsAll({ hosts: known, atMs }, views, hosts) {
  return hosts.every((host) => {
    const own = views.filter((view) => view.host === host && Math.abs(view.atMs - atMs) < 1500);
    const told = known[host];
    return (
      told !== undefined &&
      told.usable &&
      own.some(
        ({ hosts: states }) =>
          states[host]?.epoch === told.epoch && states[host]?.revision === told.revision,
      )
    );
  });
}

function loneHosts(events, faults) {
  const waitedMs = waitedForCpu(events);
  const CUTTING = /^(partition-one|partition-nats|partition-traffic|nats-|disk-full|clock)/;
  return faults
    .filter(({ kind }) => CUTTING.test(kind))
    .flatMap(({ kind, hosts, startMs, endMs }) =>
      hosts.map((host) => {
        const times = events
          .filter(
            (event) =>
              event.type === 'answer' &&
              event.host === host &&
              event.outcome === 'answered' &&
              event.endMs >= startMs &&
              event.endMs <= endMs,
          )
          .map((event) => event.endMs)
          .sort((one, other) => one - other);
        const bounds = [startMs, ...times, endMs];
        const silences = bounds.slice(1).map((toMs, i) => ({ fromMs: bounds[i], toMs }));
        const [{ fromMs, toMs }] = silences.sort(
          (one, other) => other.toMs - other.fromMs - (one.toMs - one.fromMs),
        );
        const silenceMs = toMs - fromMs;
        if (silenceMs <= LONGEST_SILENCE_MS) return null;
        const isStarved = waitedMs(host, fromMs, toMs) >= silenceMs * STARVED_SHARE;
        return isStarved ? STARVED : { during: kind, host, silenceMs };
      }),
    );
}
