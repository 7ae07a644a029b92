import { hostname } from 'node:os';
import type { HeaderCache } from '@mai/memory-estimator';
import type { JudgeQuality } from '@mai/model-config';
import type * as estimation from './footprints/estimation.js';
import { findModelFolders } from './config/model-folders.js';
import type { HostContext } from './host-options.js';
import type { MachineMonitor } from './machine/open-monitor.js';
import { openMonitor } from './machine/open-monitor.js';
import type { RuntimeConnection } from './runtime/connect-runtime.js';
import { createRuntimeConnection } from './runtime/connect-runtime.js';
import { endAll } from './end-all.js';
import { keep, once } from './once.js';
import type { SpeedLearner } from './speeds/learner.js';
import type { Speeds } from './speeds/speeds.js';

/** The functions that need the memory estimator, and the caches that they share. */
export type Estimation = typeof estimation & {
  readonly headers: HeaderCache;
  readonly judgeQuality: JudgeQuality;
};

/** The parts that all calls of a host share. Each part is opened on first use. */
export interface HostParts extends AsyncDisposable {
  readonly context: HostContext;
  readonly runtime: RuntimeConnection;
  readonly monitor: MachineMonitor;
  readonly estimation: () => Promise<Estimation>;
  /** The speeds of models on a machine, with what was learned by all calls of this host. Default: this machine. */
  readonly speeds: (machine?: string) => Promise<Speeds>;
  readonly learner: () => Promise<SpeedLearner>;
}

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
    const { listStoredModels } = await import('./models/stores/list-stored-models.js');
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
      const { createSpeedLearner } = await import('./speeds/learner.js');
      return createSpeedLearner(parts);
    }),
    [Symbol.asyncDispose]: () =>
      endAll([save, () => monitor[Symbol.asyncDispose](), () => runtime[Symbol.asyncDispose]()]),
  };
  return parts;
}
