// A simulated LM Studio on a machine of 32 GiB, and its memory over HTTP. Prints `port` of LM Studio and `statePort`:
//   GET /           { othersBytes, usedBytes, loads, loadMs }
//   GET /others/N   other programs use N bytes from now on
//   GET /loaded/N   a load has taken N milliseconds
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
const simulator = await startSimulator({
  // A load of the large model takes about a second.
  speed: 4,
  world: {
    machine: { ramBytes: 32 * GIB, gpus: [], promptTokensPerSecond: 5000 },
    models: [model('bench/large', 8), model('bench/other', 4), model('bench/small', 2)],
    guardrails: { mode: 'off' },
  },
});
let othersBytes = 6 * GIB;
const loadMs = [];

const server = createServer((request, response) => {
  const [, name, figure] = request.url.split('/');
  if (name === 'others') othersBytes = Number(figure);
  if (name === 'loaded') loadMs.push(Number(figure));
  const { mappedBytes, anonymousBytes } = simulator.memoryInUse().ram;
  const loads = simulator.requests.filter(({ endpoint }) => endpoint === 'loadModel').length;
  const residents = simulator.residents().map(({ modelKey }) => modelKey);
  response.setHeader('content-type', 'application/json');
  response.end(
    JSON.stringify({
      othersBytes,
      usedBytes: mappedBytes + anonymousBytes,
      residents,
      loads,
      loadMs,
    }),
  );
});
server.listen(0, '127.0.0.1', () =>
  console.log(JSON.stringify({ port: simulator.port, statePort: server.address().port })),
);
