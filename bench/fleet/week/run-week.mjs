import { SimulationClock } from '@mai/simulation';
import { quantile } from '../../yardstick/statistics.mjs';
import { ARMS } from './arms.mjs';
import { company, DAY_MS, MODELS } from './company.mjs';
import { Host } from './host.mjs';
import { requestsOf } from './requests.mjs';

/** A client that has no token after this time gives up. */
const GIVE_UP_MS = 120_000;
/** A request whose model is unloaded before the first token is placed again, at most this many times. */
const PLACINGS = 3;

/** Runs one week with one way to place requests. The same arguments always give the same figures. */
export async function runWeek(armName, seed, { days = 7, machines: counts } = {}) {
  const clock = new SimulationClock(() => undefined);
  const machines = company(seed, counts);
  const hosts = machines.map((machine, index) => new Host(clock, machine, seed * 1_000 + index));
  const endMs = days * DAY_MS;
  const requests = requestsOf(machines, seed).filter(({ atMs }) => atMs < endMs);
  const arm = ARMS[armName](hosts, clock);
  await clock.run(0);
  for (const host of hosts) await host.start();
  const results = [];
  const arrivals = (async () => {
    for (const request of requests) {
      await clock.sleep(request.atMs - clock.nowMs(), { signal: null });
      results.push(serve(arm, request, clock));
    }
  })();
  await clock.run(endMs);
  await clock.finish(arrivals);
  const served = [];
  await clock.finish(
    Promise.all(results).then((all) => {
      served.push(...all);
    }),
  );
  const { loads, unloads } = hosts.reduce(
    (sum, host) => ({ loads: sum.loads + host.loads, unloads: sum.unloads + host.unloads }),
    { loads: 0, unloads: 0 },
  );
  await clock.finish(Promise.all(hosts.map((host) => host.stop())).then(() => undefined));
  return { arm: armName, title: arm.title, seed, ...summarise(served), loads, unloads };
}

/** Serves one request. Resolves to its wait for the first token, the model, and how it ended. */
async function serve(arm, request, clock) {
  const givingUp = new AbortController();
  const cancelGiveUp = clock.at(request.atMs + GIVE_UP_MS, () => {
    givingUp.abort(Object.assign(new Error('The client gave up.'), { name: 'AbortError' }));
    // A sleep of 0 ms lets the waiting code run before the simulated time moves on.
    void clock.sleep(0, { signal: null });
  });
  const { signal } = givingUp;
  const of = { kind: request.kind, machineKind: request.user.split('-')[0] };
  try {
    for (let placing = 0; placing < PLACINGS; placing += 1) {
      const outcome = await placeOnce(arm, request, clock, signal, cancelGiveUp);
      if (outcome !== 'again') return { ...outcome, ...of };
    }
    return { ...dropped(request, clock), ...of };
  } finally {
    cancelGiveUp();
  }
}

async function placeOnce(arm, request, clock, signal, onFirstToken) {
  for (const choice of arm.choose(request)) {
    if (signal.aborted) break;
    const { host, wanted } = choice;
    arm.onSend(request, choice);
    try {
      const refusedAfterMs = arm.refusedAfterMs(host);
      if (refusedAfterMs > 0) await clock.sleep(refusedAfterMs, { signal: null });
      const lease = await host.acquire(wanted, signal);
      if (lease === null) continue;
      arm.onLease(choice, lease);
      const ended = await answer(lease, request, clock, signal, onFirstToken);
      lease.release();
      if (ended.outcome === 'again') return 'again';
      return { ...ended, modelKey: lease.modelKey, isOwn: host.name === request.user };
    } finally {
      arm.onEnd(request, choice);
    }
  }
  return dropped(request, clock);
}

function answer(lease, request, clock, signal, onFirstToken) {
  return new Promise((resolve) => {
    let waitMs = null;
    const end = (outcome) => {
      signal.removeEventListener('abort', onGiveUp);
      resolve({
        outcome,
        waitMs: waitMs ?? clock.nowMs() - request.atMs,
        totalMs: clock.nowMs() - request.atMs,
      });
    };
    const cancel = lease.submit(request, {
      first: () => {
        waitMs = clock.nowMs() - request.atMs;
        onFirstToken();
      },
      done: () => end('answered'),
      broken: () => end(waitMs === null ? 'again' : 'broken'),
    });
    const onGiveUp = () => {
      cancel();
      end('gave-up');
    };
    if (signal.aborted) onGiveUp();
    else signal.addEventListener('abort', onGiveUp);
  });
}

function dropped(request, clock) {
  const waitMs = clock.nowMs() - request.atMs;
  const outcome = waitMs >= GIVE_UP_MS ? 'gave-up' : 'refused';
  return { outcome, waitMs, totalMs: waitMs, modelKey: null, isOwn: null };
}

/**
 * Quality is that of the model that answered, and 0 where no whole answer came. Waits are those for the first token: of all
 * requests that waited for one, those of clients that gave up included; a request that was refused at once has none.
 */
function summarise(served) {
  const waits = served.filter(({ outcome }) => outcome !== 'refused').map(({ waitMs }) => waitMs);
  const answered = served.filter(({ outcome }) => outcome === 'answered');
  const quality = answered.reduce((sum, { modelKey }) => sum + MODELS[modelKey].quality, 0);
  const count = (outcome) => served.filter((one) => one.outcome === outcome).length;
  return {
    requests: served.length,
    quality: quality / served.length,
    waitP50Ms: quantile(waits, 0.5),
    waitP95Ms: quantile(waits, 0.95),
    waitP99Ms: quantile(waits, 0.99),
    totalP50Ms: quantile(
      answered.map(({ totalMs }) => totalMs),
      0.5,
    ),
    totalP95Ms: quantile(
      answered.map(({ totalMs }) => totalMs),
      0.95,
    ),
    refused: count('refused'),
    gaveUp: count('gave-up'),
    broken: count('broken'),
    dropped: served.length - answered.length,
    ownShare: answered.filter(({ isOwn }) => isOwn).length / answered.length,
    waitP95MsByOwn: Object.fromEntries(
      [...new Set(served.map(({ machineKind }) => machineKind))].map((machineKind) => [
        machineKind,
        quantile(
          served.filter((one) => one.machineKind === machineKind).map(({ waitMs }) => waitMs),
          0.95,
        ),
      ]),
    ),
    byKind: Object.fromEntries(
      [...new Set(served.map(({ kind }) => kind))].sort().map((kind) => {
        const ofKind = served.filter((one) => one.kind === kind);
        const done = ofKind.filter(({ outcome }) => outcome === 'answered');
        return [
          kind,
          {
            requests: ofKind.length,
            dropped: ofKind.length - done.length,
            waitP95Ms: quantile(
              ofKind.map(({ waitMs }) => waitMs),
              0.95,
            ),
            models: Object.fromEntries(
              Object.keys(MODELS).map((key) => [
                key,
                done.filter(({ modelKey }) => modelKey === key).length,
              ]),
            ),
          },
        ];
      }),
    ),
  };
}
