// A simulated LM Studio on loopback, in a process of its own. The models are the argument, as JSON. Prints its address.
import { startSimulator } from '@mai/lmstudio-simulator';

const models = JSON.parse(process.argv[2] ?? '[]');
const simulator = await startSimulator({
  world: { models, guardrails: { mode: 'off' } },
  speed: 20,
});
console.log(simulator.httpUrl);
process.once('SIGTERM', () => void simulator.stop().then(() => process.exit(0)));
