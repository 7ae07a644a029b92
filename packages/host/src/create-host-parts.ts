import { hostname } from 'node:os';
import { findModelFolders } from './downloads/find-model-folders.js';
import { endAll } from './promises/end-all.js';
import type { HostContext } from './host-options.js';
import type { HostParts } from './host-parts.js';
import { openMonitor } from './machine/open-monitor.js';
import { keep, once } from './promises/once.js';
import { createRuntimeConnection } from './runtime/connect-runtime.js';
import type { Speeds } from './speeds/speeds.js';

/** Creates the object without opening a part. */
export function createHostParts(context: HostContext): HostParts {
  const monitor = openMonitor(context);
  let save = (): void => undefined;
  const estimation = once(async () => {
    const functions = await import('./footprints/estimation.js');
    const headers = functions.openHeaders(context);
    const qualities = functions.openQualities(context);
    save = () => {
      headers.save();
      qualities.save();
    };
    return { ...functions, headers, judgeQuality: qualities.judge };
  });
  const runtime = createRuntimeConnection(context, async (signal) => {
    const { headers: cache } = await estimation();
    const { listStoredModels } = await import('./downloads/list-stored-models.js');
    const modelFolders = await findModelFolders(context);
    const lookup = { ...context, signal: signal ?? context.signal, modelFolders, headers: cache };
    const { models } = await listStoredModels(lookup);
    return models.map((model) => ({ ...model, projectorFile: model.projectorPath }));
  });
  const speeds = new Map<string, Promise<Speeds>>();
  const parts: HostParts = {
    context,
    runtime,
    monitor,
    estimation,
    speeds: (machine = hostname()) =>
      speeds.get(machine) ??
      keep(
        speeds,
        machine,
        estimation().then((loaded) => loaded.openSpeeds(context, machine)),
      ),
    learner: once(async () => {
      const { createSpeedLearner } = await import('./learning/create-speed-learner.js');
      return createSpeedLearner(parts);
    }),
    [Symbol.asyncDispose]: () =>
      endAll([save, () => monitor[Symbol.asyncDispose](), () => runtime[Symbol.asyncDispose]()]),
  };
  return parts;
}
