import { simulatedDemoConfig, simulatedDemoPool, type ModelConfigFile } from '@mai/host';
import { fitWorld, type FittedWorld } from '@mai/lmstudio-simulator';
import { deviceKeyOf, LIMIT, room, type Pool, type Resources } from '@mai/memory-ledger';

/** The simulated world of the demo, scaled to the size of this machine. */
export interface DemoSetting {
  readonly world: FittedWorld['world'];
  readonly config: ModelConfigFile;
  /** The pool that the demo fills and frees. */
  readonly pool: Pool;
}

/** Maximum memory that the models are scaled to. */
const LARGEST_ROOM_BYTES = 48 * 2 ** 30;

/** Scales models, limits and speeds to this machine, which may be small, large or nearly full. */
export function createDemoSetting(resources: Resources): DemoSetting {
  const pool = simulatedDemoPool(resources);
  const roomBytes = Math.min(LARGEST_ROOM_BYTES, room(pool, LIMIT));
  const { world, models, contextLengthTokens } = fitWorld({
    resources,
    deviceKey: deviceKeyOf(pool.name),
    roomBytes,
  });
  const modelKeys = models.map(({ modelKey }) => modelKey);
  return { pool, world, config: simulatedDemoConfig(modelKeys, contextLengthTokens, pool) };
}
