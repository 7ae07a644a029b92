import type { Clock } from '../../ports/clock.js';
import type {
  ControlPort,
  MachineModels,
  MachineStatus,
  SelectionAnswer,
} from '../../ports/control-port.js';

/**
 * Readings that ask the runtime, shared by all readers. The runtime is somebody's desktop app: each is read at most
 * once in ten seconds, and at once after a change.
 */
export interface Readings {
  status(): Promise<MachineStatus>;
  models(): Promise<MachineModels>;
  selection(chain: string | null): Promise<SelectionAnswer>;
  /** Something has changed. The next reader reads again. */
  forget(): void;
}

const FRESH_MS = 10_000;
/** No configuration has so many chains. The bound keeps a reader from filling the memory with names. */
const KEPT_MAX = 16;

interface Kept<Value> {
  readonly atMs: number;
  readonly reading: Promise<Value>;
}

/** Creates the readings. */
export function createReadings(machine: ControlPort, clock: Clock): Readings {
  const status = keepFresh<MachineStatus>(clock);
  const models = keepFresh<MachineModels>(clock);
  const selection = keepFresh<SelectionAnswer>(clock);
  return {
    status: () => status.read('', () => machine.status()),
    models: () => models.read('', () => machine.models({ all: true })),
    selection: (chain) => selection.read(chain ?? '', () => machine.select({ chain })),
    forget: () => {
      status.forget();
      models.forget();
      selection.forget();
    },
  };
}

function keepFresh<Value>(clock: Clock): {
  read(key: string, read: () => Promise<Value>): Promise<Value>;
  forget(): void;
} {
  const kept = new Map<string, Kept<Value>>();
  return {
    read: (key, read) => {
      const known = kept.get(key);
      if (known !== undefined && clock.monotonicMs() - known.atMs < FRESH_MS) return known.reading;
      const entry = { atMs: clock.monotonicMs(), reading: read() };
      kept.delete(key);
      kept.set(key, entry);
      const [oldest] = kept.keys();
      if (kept.size > KEPT_MAX && oldest !== undefined) kept.delete(oldest);
      entry.reading.catch(() => {
        if (kept.get(key) === entry) kept.delete(key);
      });
      return entry.reading;
    },
    forget: () => kept.clear(),
  };
}
