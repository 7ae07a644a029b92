// Compares the gateway with the floor, a proxy that does the least: by the CPU time of a request and by the time that they add to
// the first byte. In each round the runtime without a proxy, the floor (twice) and the gateway take turns, and ratios are formed
// within the round. The time that a proxy adds is its time less the time without a proxy in the same round, so a machine that
// becomes slower changes all of them. Portkey's gateway and http-proxy-3 are measured in the same turns where they are installed.
// Build first:
//   npm ci --ignore-scripts --prefix bench/gateway/others
//   node bench/gateway/overhead.mjs [--rate 200] [--seconds 6] [--pairs 7]
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { cpuSecondsOf } from '../yardstick/process-load.mjs';
import { format, judge, printTable } from '../yardstick/report.mjs';
import { median, quantile } from '../yardstick/statistics.mjs';
import { runClient, startServer } from './processes.mjs';

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '6' },
    pairs: { type: 'string', default: '7' },
  },
});
const [rate, seconds, pairs] = [values.rate, values.seconds, values.pairs].map(Number);
// The client does not time the requests of the first second.
if (!(rate * (seconds - 1) >= 2 && pairs >= 1)) {
  console.error(
    'overhead.mjs: Give at least 1 pair, and enough seconds at this rate for 2 requests after the first second, which is not timed.',
  );
  process.exit(2);
}
const TARGET_CPU = 1.3;
const TARGET_P50 = 1.3;
const TARGET_P99 = 1.5;
/** Requests a second that warm a server up before the measurement. */
const WARM_RATE = 500;
/** A figure is judged only if the ratio of the floor's figures in its two turns is at most this. */
const FLOOR_AGREES = 1.15;

const upstream = await startServer('processes/upstream.mjs');
const UPSTREAM = `http://127.0.0.1:${upstream.port}`;
const floor = await startServer('processes/floor.mjs', { UPSTREAM });
const gateway = await startServer('processes/gateway-process.mjs', { UPSTREAM });
const others = await startOthers();
const serverOf = { direct: upstream, floor, again: floor, gateway, ...others };

try {
  for (const kind of ['json', 'stream']) {
    // A gateway runs for days: measure it after its code is compiled.
    for (const server of [floor, gateway, ...Object.values(others)]) await warm(server, kind);
    const rounds = [];
    for (let pair = 0; pair < pairs; pair += 1) {
      const inTurn = ['floor', 'gateway', 'direct', 'again', ...Object.keys(others)];
      const round = {};
      for (const name of pair % 2 === 0 ? inTurn : inTurn.toReversed()) {
        round[name] = await measure(serverOf[name], kind);
      }
      rounds.push(round);
    }
    report(kind, rounds);
  }
} finally {
  for (const server of [upstream, floor, gateway, ...Object.values(others)]) server.stop();
}

/** The other gateways by name, where their packages are installed. */
async function startOthers() {
  if (!existsSync(new URL('others/node_modules', import.meta.url))) {
    console.log(
      'not measured: Portkey and http-proxy-3. To measure them, run "npm ci --ignore-scripts --prefix bench/gateway/others".',
    );
    return {};
  }
  return {
    portkey: await startServer('others/portkey.mjs', { UPSTREAM }),
    'http-proxy-3': await startServer('others/http-proxy.mjs', { UPSTREAM }),
  };
}

/** Sends requests until the code of a server is compiled. A few of these requests may fail. */
async function warm(server, kind) {
  await runClient('processes/client.mjs', server.port, kind, WARM_RATE, 12, headersOf(server));
}

function headersOf({ headers = {} }) {
  return JSON.stringify(headers);
}

async function measure(server, kind) {
  const before = cpuSecondsOf(server.processId);
  const { count, failed, firstByteMs } = await runClient(
    'processes/client.mjs',
    server.port,
    kind,
    rate,
    seconds,
    headersOf(server),
  );
  if (failed > 0) throw new Error(`${failed} of ${count} requests failed.`);
  return {
    cpuMs: ((cpuSecondsOf(server.processId) - before) * 1000) / count,
    p50: quantile(firstByteMs, 0.5),
    p99: quantile(firstByteMs, 0.99),
  };
}

function report(kind, rounds) {
  const of = (name, figure) => median(rounds.map((round) => round[name][figure]));
  console.log(
    `${kind}: ${rate} requests a second, medians of ${rounds.length} runs of ${seconds} s`,
  );
  printTable(
    ['', 'CPU ms', 'first byte p50', 'p99'],
    [
      ['without a proxy', '', format(of('direct', 'p50')), format(of('direct', 'p99'))],
      ...['floor', 'again', 'gateway', ...Object.keys(others)].map((name) => [
        name === 'again' ? 'floor again' : name,
        format(of(name, 'cpuMs')),
        format(of(name, 'p50')),
        format(of(name, 'p99')),
      ]),
    ],
  );
  const ratio = (one, other, figure) =>
    median(rounds.map((round) => round[one][figure] / round[other][figure]));
  const added = (one, other, figure) =>
    median(
      rounds.map(
        ({ direct, ...round }) =>
          (round[one][figure] - direct[figure]) / (round[other][figure] - direct[figure]),
      ),
    );
  judgeIfQuiet(
    `${kind}: CPU of a request, gateway to floor`,
    ratio('gateway', 'floor', 'cpuMs'),
    TARGET_CPU,
    ratio('again', 'floor', 'cpuMs'),
  );
  judgeIfQuiet(
    `${kind}: added time to the first byte at p50`,
    added('gateway', 'floor', 'p50'),
    TARGET_P50,
    added('again', 'floor', 'p50'),
  );
  for (const name of Object.keys(others)) {
    const figures = [ratio(name, 'floor', 'cpuMs'), added(name, 'floor', 'p50')].map(format);
    console.log(
      `${name} to floor: CPU ${figures[0]}, added time to the first byte at p50 ${figures[1]}`,
    );
  }
  judgeIfQuiet(
    `${kind}: added time to the first byte at p99`,
    added('gateway', 'floor', 'p99'),
    TARGET_P99,
    added('again', 'floor', 'p99'),
  );
  console.log('');
}

/** @param agreement the same ratio between the floor's two turns, which is 1 on a machine that does nothing else */
function judgeIfQuiet(what, figure, atMost, agreement) {
  const floorToFloor = `floor to floor: ${format(agreement)}`;
  // A negative ratio: the machine was slower without a proxy than with it. No number: too few requests to measure CPU time.
  if (agreement > 0 && Math.max(agreement, 1 / agreement) <= FLOOR_AGREES) {
    judge(`${what} (${floorToFloor})`, figure, atMost);
  } else {
    console.log(
      `not judged: ${what}: ${format(figure)}, because this machine is too busy (${floorToFloor})`,
    );
  }
}
