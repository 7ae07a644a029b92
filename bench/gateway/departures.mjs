// How soon LM Studio learns that a client has left: during a load, before the first byte of the answer, and after it. Client,
// gateway and simulated LM Studio are different processes. Build first:
//   node bench/gateway/departures.mjs [--rounds 20]
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { judge, printTable } from '../yardstick/report.mjs';
import { quantile } from '../yardstick/statistics.mjs';
import { startServer } from './processes.mjs';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '20' } } });
const rounds = Number(values.rounds);
const TARGET_MS = 100;
/** How long the simulator delays the first token where the client is to leave before it. */
const SLOW_MS = 60_000;
const POLL_MS = 5;
/** Answers take ten seconds, so that no client leaves after the end of its answer. */
const ANSWER_TOKENS = 4000;

/**
 * Sizes of prompts in bytes, each of which needs a different context length, because within a minute only the first load of a
 * context length is cancelled.
 */
const PROMPT_BYTES = [100, 2500, 4000, 5500, 7000, 10_000, 13_000, 16_000];

const figures = [
  ['during a load', await leaveLoads()],
  ['before the first byte', await leaveRepeatedly({ stream: true, isSlow: true })],
  ['before the first byte, no stream', await leaveRepeatedly({ stream: false, isSlow: true })],
  ['after the first byte', await leaveRepeatedly({ stream: true, isSlow: false })],
];
console.log(`Clients that leave, ${rounds} times each: until LM Studio's log shows the end, in ms`);
printTable(
  ['the client leaves', 'p50', 'longest'],
  figures.map(([name, tookMs]) => [name, quantile(tookMs, 0.5), Math.max(...tookMs)]),
);
for (const [name, tookMs] of figures) {
  judge(`longest time in ms, ${name}`, Math.max(...tookMs), TARGET_MS);
}

/** Leaves requests while their model is loaded. Resolves to the times until LM Studio was asked to end the load. */
async function leaveLoads() {
  const machine = await startServer('processes/machine-process.mjs');
  const MACHINE = `http://127.0.0.1:${machine.statePort}`;
  const LM_STUDIO = `http://127.0.0.1:${machine.port}`;
  const gateway = await startServer('processes/host-process.mjs', { MACHINE, LM_STUDIO });
  const until = async (isTrue) => {
    for (;;) {
      const now = await (await fetch(MACHINE)).json();
      if (isTrue(now)) return now;
      await sleep(POLL_MS);
    }
  };
  const tookMs = [];
  try {
    await ask(gateway.port, { stream: false, max_tokens: 1 }).ended;
    const loads = ['bench/other', 'bench/small'].flatMap((model) =>
      PROMPT_BYTES.map((bytes) => ({ model, content: 'a'.repeat(bytes) })),
    );
    for (const { model, content } of loads.slice(0, rounds)) {
      const before = await (await fetch(MACHINE)).json();
      const messages = [{ role: 'user', content }];
      const asked = ask(gateway.port, { model, messages, stream: true, max_tokens: 1500 });
      await until((now) => now.loads > before.loads);
      const leftAtMs = Date.now();
      asked.leave();
      const { cancelledAtMs } = await until(
        (now) => now.cancelledAtMs.length > before.cancelledAtMs.length,
      );
      tookMs.push(cancelledAtMs.at(-1) - leftAtMs);
    }
    return tookMs;
  } finally {
    gateway.stop();
    machine.stop();
  }
}

/**
 * Sends requests and leaves each of them: before its first byte where LM Studio is slow, else after it. Resolves to the
 * times until LM Studio has seen it.
 */
async function leaveRepeatedly({ stream, isSlow }) {
  const machine = await startServer('processes/machine-process.mjs', { ANSWER_TOKENS });
  const MACHINE = `http://127.0.0.1:${machine.statePort}`;
  const LM_STUDIO = `http://127.0.0.1:${machine.port}`;
  const gateway = await startServer('processes/host-process.mjs', { MACHINE, LM_STUDIO });
  const state = async () => (await fetch(MACHINE)).json();
  const until = async (isTrue) => {
    for (;;) {
      const now = await state();
      if (isTrue(now)) return now;
      await sleep(POLL_MS);
    }
  };
  const tookMs = [];
  try {
    await ask(gateway.port, { stream: false, max_tokens: 1 }).ended;
    if (isSlow) await fetch(`${MACHINE}/slow/${SLOW_MS}`);
    for (let round = 0; round < rounds; round += 1) {
      const before = await state();
      const asked = ask(gateway.port, { stream, max_tokens: ANSWER_TOKENS });
      if (isSlow) await until(({ chats }) => chats > before.chats);
      else await asked.firstByte;
      const leftAtMs = Date.now();
      asked.leave();
      const { endedAtMs } = await until((now) => now.endedAtMs.length > before.endedAtMs.length);
      tookMs.push(endedAtMs.at(-1) - leftAtMs);
    }
    return tookMs;
  } finally {
    gateway.stop();
    machine.stop();
  }
}

/** Asks for an answer on a connection of its own. */
function ask(port, fields) {
  const sent = request({
    host: '127.0.0.1',
    port,
    path: '/v1/chat/completions',
    method: 'POST',
    agent: false,
    headers: { 'content-type': 'application/json' },
  });
  // A client that leaves breaks its own connection.
  sent.on('error', () => {});
  const response = new Promise((resolve) => sent.once('response', resolve));
  sent.end(
    JSON.stringify({ model: 'auto', messages: [{ role: 'user', content: 'Hello' }], ...fields }),
  );
  return {
    firstByte: response.then((answer) => new Promise((resolve) => answer.once('data', resolve))),
    ended: response.then(
      (answer) => new Promise((resolve) => answer.resume().once('end', resolve)),
    ),
    leave: () => sent.destroy(),
  };
}
