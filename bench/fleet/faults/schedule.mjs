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

/**
 * Faults one after the other until the time is over: first each kind once, in random order, and then kinds at random.
 *
 * @returns `{ kind, hosts, seconds, calmSeconds }[]`; `hosts` are those that the fault hits
 */
export function scheduleOf({ seed, minutes, hosts, kinds = FAULTS }) {
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
    const hit = kind === 'partition-half' ? half : [pick(hosts)];
    schedule.push({ kind, hosts: hit, seconds, calmSeconds: CALM_SECONDS });
  }
}
