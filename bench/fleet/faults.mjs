// The fault matrix: hosts with simulated LM Studios, each in a network namespace of its own, a real nats-server, and clients
// at a steady rate, while machines are killed and stopped, the network breaks, clocks jump and disks fill. Invariants are
// checked over the logs of all. Linux, as root, with iproute2, nftables, faketime and nats-server. Build first.
//
//   npm run bench:fleet-faults -- [--seed N] [--minutes M] [--hosts H] [--servers 1|3] [--rate R] [--faults A,B]
//     [--at-once N] [--json]
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { checkInvariants } from './faults/invariants.mjs';
import { FAULTS, NAMED_FAULTS, scheduleOf } from './faults/schedule.mjs';
import { startFleet } from './faults/start-fleet.mjs';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '5' },
    hosts: { type: 'string', default: '5' },
    servers: { type: 'string', default: '1' },
    rate: { type: 'string', default: '50' },
    faults: { type: 'string', default: FAULTS.join(',') },
    'at-once': { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    keep: { type: 'string' },
  },
});
const [seed, minutes, hostCount, serverCount, rate] = [
  values.seed,
  values.minutes,
  values.hosts,
  values.servers,
  values.rate,
].map(Number);
const kinds = values.faults.split(',');
const known = [...FAULTS, ...NAMED_FAULTS];
const unknown = kinds.find((kind) => !known.includes(kind));
if (unknown !== undefined)
  throw new Error(`"${unknown}" is not a fault. Faults: ${known.join(', ')}`);

const say = (text) => (values.json ? undefined : console.log(text));
const folder = mkdtempSync(path.join(tmpdir(), 'mai-faults-'));
const hosts = Array.from({ length: hostCount }, (_, i) => `h${i + 1}`);
const atOnce = Number(values['at-once']);
const schedule = scheduleOf({ seed, minutes, hosts, kinds, atOnce });
let code;
const fleet = await startFleet({ folder, hosts, serverCount, rate });
try {
  say(`${hostCount} hosts, ${serverCount} nats-server, ${rate} requests a second, seed ${seed}.`);
  await fleet.converged();
  const faults = [];
  for (const { faults: these, seconds, calmSeconds } of schedule) {
    const names = these.map(({ kind, hosts: hit }) => `${kind} ${hit.join(', ')}`);
    say(`  ${names.join(' and ')} for ${seconds} s`);
    faults.push(...(await fleet.inflict(these, seconds)));
    await fleet.wait(calmSeconds);
  }
  await fleet.endClients();
  const events = fleet.events();
  if (values.keep !== undefined)
    writeFileSync(values.keep, jsonLines([...faults.map(faultEvent), ...events]));
  const invariants = checkInvariants(events, faults, hosts);
  report(faults, invariants, events);
  code = invariants.every(({ broken }) => broken.length === 0) ? 0 : 1;
} finally {
  await fleet.close();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(code);

function faultEvent(fault) {
  return { type: 'fault', ...fault };
}

function jsonLines(list) {
  return list.map((one) => `${JSON.stringify(one)}\n`).join('');
}

function report(faults, invariants, events) {
  const outcomes = {};
  for (const { type, outcome } of events)
    if (type === 'answer') outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  if (values.json) {
    console.log(
      JSON.stringify({
        seed,
        minutes,
        hosts: hostCount,
        servers: serverCount,
        rate,
        atOnce,
        faults,
        invariants,
        outcomes,
      }),
    );
    return;
  }
  console.log(
    `\nRequests: ${Object.entries(outcomes)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ')}`,
  );
  for (const { name, checks, broken, starved } of invariants) {
    const without = starved === 0 ? '' : `, ${starved} not counted (a process had no CPU time)`;
    console.log(
      `${broken.length > 0 ? 'BROKEN' : checks > 0 ? 'holds ' : 'no check'}  ${name}: ${checks} checks, ${broken.length} broken${without}`,
    );
    for (const one of broken.slice(0, 3)) console.log(`          ${JSON.stringify(one)}`);
  }
}
