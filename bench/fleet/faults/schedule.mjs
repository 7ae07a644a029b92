// Which fault hits whom, when and for how long, from a seed.
import { createRandom } from '../../yardstick/random.mjs';

/** For how many seconds a fault lasts, and how many the fleet then has to converge before the next one. */
const LASTS_SECONDS = { least: 8, most: 25 };
const CALM_SECONDS = 12;
/** A stop of a process that is longer than every deadline of the fleet. */
const LONG_STOP_SECONDS = 60;

export const FAULTS = [
  'kill-host',
  'stop-host',
  'partition-one',
  'partition-half',
  'partition-nats',
  'partition-traffic',
  'loss',
  'delay',
  'clock',
  'nats-restart',
  'nats-store-lost',
  'disk-full',
  'memory-taken',
];

/** Faults that are inflicted only if `--faults` names them. */
export const NAMED_FAULTS = ['starve-host'];

/** Of each group, only one can be inflicted at a time: they change the same rules of the network, or the same processes. */
const EXCLUSIVE = [
  ['partition-one', 'partition-half', 'partition-nats', 'partition-traffic', 'loss', 'delay'],
  ['nats-restart', 'nats-store-lost'],
];

/**
 * Faults until the time is over: first each kind once, in random order, and then kinds at random.
 *
 * @param atOnce - how many faults are inflicted at the same time, each on hosts of its own
 * @returns `{ faults: { kind, hosts }[], seconds, calmSeconds }[]`; `hosts` are those that a fault hits
 */
export function scheduleOf({ seed, minutes, hosts, kinds = FAULTS, atOnce = 1 }) {
  const random = createRandom(seed);
  const pick = (list) => list[Math.floor(random() * list.length)];
  const shuffled = kinds
    .map((kind) => ({ kind, order: random() }))
    .sort((one, other) => one.order - other.order)
    .map(({ kind }) => kind);
  const schedule = [];
  let leftSeconds = minutes * 60;
  for (let turn = 0; ; turn += 1) {
    const kind = shuffled[turn] ?? pick(kinds);
    const { least, most } = LASTS_SECONDS;
    const isLong = kind === 'stop-host' && leftSeconds > 3 * LONG_STOP_SECONDS;
    const seconds = isLong ? LONG_STOP_SECONDS : Math.round(least + random() * (most - least));
    leftSeconds -= seconds + CALM_SECONDS;
    if (leftSeconds < 0 && turn > 0) return schedule;
    const half = hosts
      .map((host) => ({ host, order: random() }))
      .sort((one, other) => one.order - other.order)
      .slice(0, Math.floor(hosts.length / 2))
      .map(({ host }) => host);
    const hit = (one, from) => (one === 'partition-half' ? half : [pick(from)]);
    const faults = [{ kind, hosts: hit(kind, hosts) }];
    while (faults.length < atOnce) {
      const free = hosts.filter((host) => !faults.some((one) => one.hosts.includes(host)));
      const possible = kinds.filter((one) => faults.every((other) => isPossible(one, other.kind)));
      const next = pick(possible.filter((one) => one !== 'partition-half'));
      if (next === undefined || free.length === 0) break;
      faults.push({ kind: next, hosts: hit(next, free) });
    }
    schedule.push({ faults, seconds, calmSeconds: CALM_SECONDS });
  }
}

/** Whether two kinds can be inflicted at once. */
function isPossible(one, other) {
  return !EXCLUSIVE.some((group) => group.includes(one) && group.includes(other));
}
