// What clients notice of switches: requests under load while another program takes memory and gives it back, and two
// clients whose models do not fit together. Host, gateway and simulated LM Studio are other processes. Build first:
//   node bench/gateway/switches.mjs [--rate 50] [--times 3] [--requests 40]
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { judge, printTable } from '../yardstick/report.mjs';
import { quantile } from '../yardstick/statistics.mjs';
import { startServer } from './processes.mjs';

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '50' },
    times: { type: 'string', default: '3' },
    requests: { type: 'string', default: '40' },
  },
});
const [rate, times, requests] = [values.rate, values.times, values.requests].map(Number);
const GIB = 1024 ** 3;
const USUAL_BYTES = 6 * GIB;
/** Only the small model fits beside these. With the large one, memory is above the hard limit, but has not run out. */
const SCARCE_BYTES = 21 * GIB;
/** Either model fits beside these, but not both together. */
const ONE_FITS_BYTES = 12 * GIB;
const LARGE = 'bench/large';
const OTHER = 'bench/other';
const TARGET_BEYOND_LOAD_MS = 1000;
/** On a machine that keeps up, fewer requests are open than arrive in this time. */
const OPEN_MAX_S = 0.25;
const THINK_MS = 200;
const TOOLS = [{ type: 'function', function: { name: 'get_weather', parameters: {} } }];

await underPressure();
console.log('');
await alternating();

async function underPressure() {
  const world = await openWorld();
  const running = [];
  let open = 0;
  try {
    await ask(world, { model: 'auto' });
    const startMs = performance.now();
    /** Sends requests, every other one with tools, until a second after the condition holds. */
    const sendUntil = async (isTrue) => {
      let untilMs = Infinity;
      while (performance.now() < untilMs) {
        const extra = running.length % 2 === 0 ? { tools: TOOLS } : {};
        const stream = running.length % 3 === 0;
        open += 1;
        running.push(ask(world, { model: 'auto', stream, ...extra }).finally(() => (open -= 1)));
        if (running.length % 10 === 0 && untilMs === Infinity && (await isTrue())) {
          untilMs = performance.now() + 1000;
        }
        await sleep(Math.max(0, startMs + (running.length * 1000) / rate - performance.now()));
      }
    };
    await sendUntil(async () => true);
    if (open > rate * OPEN_MAX_S) {
      const served = `${open} requests are open though no model was switched yet`;
      console.log(
        `not measured: this machine is too busy for ${rate} requests a second (${served}).`,
      );
      await Promise.all(running);
      return;
    }
    const hasLarge = async () => (await world.state()).residents.includes(LARGE);
    for (let time = 0; time < times; time += 1) {
      await world.setOthers(SCARCE_BYTES);
      await sendUntil(async () => {
        const { residents } = await world.state();
        return residents.length > 0 && !residents.includes(LARGE);
      });
      await world.setOthers(USUAL_BYTES);
      await sendUntil(hasLarge);
    }
    const answers = await Promise.all(running);
    const { loads, loadMs } = await world.state();
    const failed = answers.filter(({ isWhole }) => !isWhole);
    const unmet = answers.filter(({ modelKey, withTools }) => withTools && modelKey === OTHER);
    const waitsMs = answers.map(({ waitMs }) => waitMs);
    const longestLoadMs = Math.max(...loadMs);
    console.log(
      `${answers.length} requests at ${rate} a second while memory is taken and given back ${times} times: ${loads} loads`,
    );
    printTable(
      ['ms', 'p50', 'p99', 'longest'],
      [
        ['wait for a model', quantile(waitsMs, 0.5), quantile(waitsMs, 0.99), Math.max(...waitsMs)],
        ['load', quantile(loadMs, 0.5), quantile(loadMs, 0.99), longestLoadMs],
      ].map(([name, ...figures]) => [name, ...figures.map((ms) => ms.toFixed(0))]),
    );
    for (const { status, text } of failed.slice(0, 3)) console.log(`failed: ${status} ${text}`);
    judge('failed requests', failed.length, 0);
    judge('requests answered by a model that does not meet them', unmet.length, 0);
    judge(
      'longest wait beyond the longest load, in ms',
      Math.max(0, Math.max(...waitsMs) - longestLoadMs),
      TARGET_BEYOND_LOAD_MS,
    );
  } finally {
    world.stop();
  }
}

async function alternating() {
  const world = await openWorld();
  try {
    await world.setOthers(ONE_FITS_BYTES);
    const client = async (model) => {
      const answers = [];
      for (let index = 0; index < requests; index += 1) {
        answers.push(await ask(world, { model }));
        await sleep(THINK_MS);
      }
      return answers;
    };
    const answers = (await Promise.all([client(LARGE), client(OTHER)])).flat();
    const { loads } = await world.state();
    const failed = answers.filter(({ isWhole }) => !isWhole).length;
    console.log(
      `Two clients, ${requests} requests each to models that do not fit together: ${loads} loads. In order of arrival each of the ${answers.length} requests needs one.`,
    );
    judge('failed requests', failed, 0);
    judge('loads, of those in order of arrival', loads / answers.length, 1 / 3);
  } finally {
    world.stop();
  }
}

async function openWorld() {
  const machine = await startServer('processes/machine-process.mjs');
  const MACHINE = `http://127.0.0.1:${machine.statePort}`;
  const LM_STUDIO = `http://127.0.0.1:${machine.port}`;
  const gateway = await startServer('processes/host-process.mjs', { MACHINE, LM_STUDIO });
  return {
    url: `http://127.0.0.1:${gateway.port}`,
    state: async () => (await fetch(MACHINE)).json(),
    setOthers: async (bytes) => void (await fetch(`${MACHINE}/others/${bytes}`)),
    stop: () => {
      gateway.stop();
      machine.stop();
    },
  };
}

/** Sends one request and reads its answer. */
async function ask({ url }, request) {
  const body = JSON.stringify({ messages: [{ role: 'user', content: 'Hello' }], ...request });
  const headers = { 'content-type': 'application/json' };
  const answer = { status: 0, text: '', isWhole: false, withTools: 'tools' in request };
  try {
    const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body });
    const text = await response.text();
    const isWhole = response.status === 200 && (request.stream ? text.includes('[DONE]') : true);
    return {
      ...answer,
      isWhole,
      text,
      status: response.status,
      modelKey: response.headers.get('x-mai-model'),
      waitMs: Number(response.headers.get('x-mai-queue-ms')),
    };
  } catch (error) {
    return { ...answer, text: String(error), modelKey: null, waitMs: 0 };
  }
}
