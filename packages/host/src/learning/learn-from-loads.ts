import type { RuntimeInstance } from '@mai/autopilot';
import type { HostParts } from '../host-parts.js';
import type { RuntimeClient } from '../runtime/runtime-client.js';
import { isRuntimeError } from '../runtime/runtime-error.js';
import { withSession } from '../session/session.js';

/**
 * Reads the engine's log during loads, and corrects later estimates by the buffers that it prints. The running
 * autopilot does the same for its own loads.
 *
 * @param load - carries the loads out
 * @param loadedBy - the instances that were loaded
 */
export async function learnFromLoads<Result>(
  parts: HostParts,
  client: RuntimeClient,
  signal: AbortSignal,
  load: () => Promise<Result>,
  loadedBy: (result: Result) => readonly RuntimeInstance[],
): Promise<Result> {
  // Before the load, because past lines are not kept.
  await using watch = await client.watchEngines();
  const result = await load();
  const reports = watch.reports();
  const hasPrinted = reports.some(({ buffers }) => buffers.length > 0);
  const loaded = loadedBy(result).map(({ instanceIdentifier }) => instanceIdentifier);
  if (!hasPrinted || loaded.length === 0) return result;
  try {
    await withSession(parts, { signal, engineReports: () => reports }, async ({ ports }) => {
      const [residents, resources] = await Promise.all([
        ports.runtime.listResidents({ signal }),
        ports.monitor.snapshot({ signal }),
      ]);
      // The estimate of a resident whose buffers are printed stores them.
      for (const { modelKey, loadConfig, instanceIdentifier, deviceIdentifier } of residents) {
        if (!loaded.includes(instanceIdentifier)) continue;
        const question = { modelKey, loadConfig, resources, deviceIdentifier };
        await ports.estimator.estimate(question, { signal });
      }
    });
  } catch (error) {
    // The load itself has succeeded. Without this measurement, later estimates stay as they are.
    if (!isRuntimeError(error)) throw error;
  }
  return result;
}
