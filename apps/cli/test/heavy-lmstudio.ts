import { spawn } from 'node:child_process';
import { symlink } from 'node:fs/promises';
import path from 'node:path';

/**
 * A simulated LM Studio in a process with the name `LM Studio`. The process allocates the memory
 * of its simulated models, except their weights.
 */
export interface HeavyLMStudio extends AsyncDisposable {
  readonly url: string;
}

const SIMULATOR = path.join(__dirname, '../../../packages/lmstudio-simulator/dist/index.cjs');
const SCRIPT = `
  const { startSimulator } = require(process.argv[1]);
  const held = [];
  const sizeOf = ({ world }, key) => world.models.find((one) => one.modelKey === key).sizeBytes;
  const CHUNK = 8 * 1024 * 1024;
  startSimulator({ speed: 20, world: { machine: { gpus: [] } } }).then((simulator) => {
    setInterval(() => {
      // Without the weights, because an engine maps them.
      const weights = simulator.residents().reduce((sum, { modelKey }) => sum + sizeOf(simulator, modelKey), 0);
      const { mappedBytes, anonymousBytes } = simulator.memoryInUse().ram;
      const chunks = Math.max(0, Math.floor((mappedBytes + anonymousBytes - weights) / CHUNK));
      held.length = Math.min(held.length, chunks);
      while (held.length < chunks) held.push(Buffer.allocUnsafeSlow(CHUNK).fill(1));
    }, 5);
    console.log(simulator.httpUrl);
  });
`;

/** Linux only: a process started through a link has the link's name. */
export async function startHeavyLMStudio(folder: string): Promise<HeavyLMStudio> {
  const file = path.join(folder, 'LM Studio');
  await symlink(process.execPath, file);
  const child = spawn(file, ['-e', SCRIPT, SIMULATOR], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString().trim()));
    child.once('exit', (exitCode) => reject(new Error(`The simulator ended with ${exitCode}.`)));
  });
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await ended;
    },
  };
}
