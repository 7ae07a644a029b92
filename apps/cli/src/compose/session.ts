import type { SelectionPolicy } from '@mai/memory-ledger';
import type { AutopilotPorts } from '@mai/autopilot';
import type { LoadedModelConfig } from '@mai/model-config';
import { toSelectionPolicy } from '@mai/model-config';
import type { ResourceMonitor } from '@mai/resource-monitor';
import type { CommandContext } from '../context.js';
import type { Catalog } from './catalog.js';
import type { LMStudioLink } from './connect-lmstudio.js';
import { connectLMStudio } from './connect-lmstudio.js';
import type { HeaderShelf } from './header-shelf.js';
import type { Library } from './library.js';
import { loadConfig } from './load-config.js';
import { createMachine, informMachine } from './machine.js';
import { composePorts } from './ports.js';

/** Everything that a command decides or shows with, joined in one place. */
export interface Session extends AsyncDisposable {
  readonly link: LMStudioLink;
  readonly config: LoadedModelConfig;
  readonly machine: ResourceMonitor;
  readonly policy: SelectionPolicy;
  readonly ports: AutopilotPorts;
  /** What is downloaded; listed when it is first asked for. */
  readonly library: () => Promise<Library>;
  /** The configuration joined with what is downloaded. */
  readonly catalog: () => Promise<Catalog>;
}

/**
 * Opens LM Studio, the configuration and the monitor, each as far as it is there. Estimates are corrected by
 * what was measured here, unless `corrected` is false: a measurement must not learn from itself.
 */
export async function openSession(
  context: CommandContext,
  { corrected = true }: { readonly corrected?: boolean } = {},
): Promise<Session> {
  const config = await loadConfig(context);
  const link = await connectLMStudio(context);
  const machine = createMachine(context);
  if (link.kind === 'on') await informMachine(machine, link.client, context.signal);
  let shelf: HeaderShelf | null = null;
  const knowledge = once(async () => {
    const { createHeaderShelf, ...rest } = await import('./knowledge.js');
    shelf = createHeaderShelf(context);
    return { ...rest, shelf };
  });
  const library = once(async () => {
    const { libraryOf, shelf } = await knowledge();
    return libraryOf(link, context, shelf);
  });
  const catalog = once(async () =>
    (await knowledge()).createCatalog(config.config, (await library()).models),
  );
  const policy = toSelectionPolicy(config.config.switching);
  return {
    link,
    config,
    machine,
    policy,
    library,
    catalog,
    ports: composePorts({
      link,
      monitor: machine,
      catalog: { read: async (options) => (await catalog()).port.read(options) },
      estimator: (anythingLoaded) => {
        const estimator = once(async () => {
          const { createFootprints, openCalibration, shelf } = await knowledge();
          const calibration = corrected ? openCalibration(context, link) : null;
          return createFootprints(await library(), { shelf, calibration }, anythingLoaded);
        });
        return {
          estimate: async (question, options) => (await estimator()).estimate(question, options),
        };
      },
    }),
    [Symbol.asyncDispose]: async () => {
      shelf?.save();
      await machine[Symbol.asyncDispose]();
      if (link.kind === 'on') await link.client.close();
    },
  };
}

/** Makes a value when it is first asked for, and only then. */
function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let value: Promise<Value> | null = null;
  return () => (value ??= make());
}
