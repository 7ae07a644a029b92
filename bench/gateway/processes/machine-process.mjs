// A simulated LM Studio on a machine of 32 GiB, and its memory over HTTP. Prints `port` of LM Studio and `statePort`:
//   GET /           { othersBytes, usedBytes, residents, loads, loadMs, chats, endedAtMs }: `chats` counts requests for an
//                   answer, `endedAtMs` are the moments at which LM Studio saw that a client had left, and
//                   `cancelledAtMs` those at which a load was cancelled
//   GET /others/N   other programs use N bytes from now on
//   GET /loaded/N   a load has taken N milliseconds
//   GET /slow/N     answers begin after N milliseconds from now on
import { createServer } from 'node:http';
import { startSimulator } from '@mai/lmstudio-simulator';

const GIB = 1024 ** 3;
const model = (modelKey, sizeGib) => ({
  modelKey,
  sizeBytes: sizeGib * GIB,
  maxContextLength: 32_768,
  trainedForToolUse: true,
  tokensPerSecond: 100,
});
/** The length of each answer. Default: the simulator's, a dozen tokens. */
const { ANSWER_TOKENS } = process.env;
/** A load of the large model takes about a second. */
const SPEED = 4;
const simulator = await startSimulator({
  speed: SPEED,
  world: {
    machine: { ramBytes: 32 * GIB, gpus: [], promptTokensPerSecond: 5000 },
    models: [model('bench/large', 8), model('bench/other', 4), model('bench/small', 2)],
    guardrails: { mode: 'off' },
    ...(ANSWER_TOKENS === undefined ? {} : { answers: { textTokens: Number(ANSWER_TOKENS) } }),
  },
});
let othersBytes = 6 * GIB;
const loadMs = [];

const server = createServer((request, response) => {
  const [, name, figure] = request.url.split('/');
  if (name === 'others') othersBytes = Number(figure);
  if (name === 'loaded') loadMs.push(Number(figure));
  if (name === 'slow') simulator.fault.slowFirstToken({ delayMs: Number(figure) * SPEED });
  const { mappedBytes, anonymousBytes } = simulator.memoryInUse().ram;
  const requestsTo = (path) => simulator.requests.filter(({ endpoint }) => endpoint === path);
  const residents = simulator.residents().map(({ modelKey }) => modelKey);
  response.setHeader('content-type', 'application/json');
  response.end(
    JSON.stringify({
      othersBytes,
      usedBytes: mappedBytes + anonymousBytes,
      residents,
      loads: requestsTo('loadModel').length,
      loadMs,
      chats: requestsTo('/v1/chat/completions').length,
      endedAtMs: requestsTo('disconnect').map(({ atMs }) => atMs),
      cancelledAtMs: requestsTo('channelSend')
        .filter(({ parameter }) => parameter.type === 'cancel')
        .map(({ atMs }) => atMs),
    }),
  );
});
server.listen(0, '127.0.0.1', () =>
  console.log(JSON.stringify({ port: simulator.port, statePort: server.address().port })),
);
