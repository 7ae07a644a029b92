import type { EngineSpec, FromEngine, ToEngine } from '../process/messages.js';
import { loadFailureOf } from '../process/load-failure.js';
import { startServer } from '../server/start-server.js';
import { loadEngine, ProjectorError } from '../engine/load-engine.js';
import { watchParent } from './parent-watch.js';

/** Time for the answers to cancelled requests. */
const STOP_DELAY_MS = 100;

/** Process of one loaded model. It ends when its parent ends or closes the channel. */
function main(): void {
  // Starts before the load, so that the memory of the watching thread is not taken for the model's.
  const isWatched = watchParent();
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  // A terminal sends Ctrl-C to the whole process group; the parent decides when the engine ends.
  process.on('SIGINT', () => undefined);
  let stop = (): void => process.exit(0);
  process.on('message', (message: ToEngine) => {
    if (message.type === 'stop') {
      stop();
      return;
    }
    void load(message.spec, isWatched).then((stopEngine) => {
      stop = stopEngine;
    });
  });
}

async function load(spec: EngineSpec, isWatched: Promise<void>): Promise<() => void> {
  try {
    await isWatched;
    const engine = await loadEngine(
      spec,
      (ratio) => send({ type: 'progress', ratio }),
      (state) => send({ type: 'activity', state }),
    );
    const stop = (): void => {
      engine.stop();
      setTimeout(() => process.exit(0), STOP_DELAY_MS);
    };
    const port = await startServer(engine, stop);
    send({ type: 'ready', port, facts: engine.facts });
    return stop;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const failure: FromEngine = {
      type: 'failed',
      message,
      outOfMemory: loadFailureOf(message).outOfMemory,
      reasonInOutput: error instanceof ProjectorError,
    };
    process.send?.(failure, () => process.exit(1));
    return () => process.exit(1);
  }
}

function send(message: FromEngine): void {
  if (process.connected) process.send?.(message);
}

main();
