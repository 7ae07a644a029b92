import type { Clock, JournalState, Pin, Yield } from '@mai/autopilot';
import { createFileJournal, findRunning } from '@mai/autopilot';
import type {
  CallOptions,
  Delivery,
  JournalAnswer,
  JournalCalls,
} from '../control/autopilot-service.js';
import type { AutopilotFiles } from '../runtime/autopilot-files.js';

/** Reads and changes of a journal. All throw AutopilotError `JOURNAL_UNUSABLE`. */
export interface JournalChanges extends JournalCalls {
  read(options?: CallOptions): Promise<JournalState>;
  /**
   * Replaces the journal by `change(journal)`. Then waits up to two seconds until the running autopilot has read
   * the new journal. Writes nothing where `change` returns its argument.
   */
  change(
    change: (journal: JournalState) => JournalState,
    options?: CallOptions,
  ): Promise<JournalAnswer>;
}

const ANSWER_WITHIN_MS = 2000;
const ASK_EVERY_MS = 50;

/** The journal of one autopilot. Any process may change it, not only the one that runs the autopilot. */
export function createJournalChanges(files: AutopilotFiles, clock: Clock): JournalChanges {
  const journal = createFileJournal(files.journal, clock);

  const waitUntilRead = async (revision: number, options: CallOptions): Promise<Delivery> => {
    const startedMs = clock.monotonicMs();
    for (;;) {
      const running = await findRunning(files.folder, files.address, clock);
      if (running === null) return { kind: 'nobody' };
      const { acknowledged } = await journal.read(present(options));
      if (acknowledged !== null && acknowledged.revision >= revision) {
        return { kind: 'seen', processId: acknowledged.processId };
      }
      if (clock.monotonicMs() - startedMs >= ANSWER_WITHIN_MS) {
        return { kind: 'waiting', processId: running.processId };
      }
      await clock.sleep(ASK_EVERY_MS, { signal: options.signal ?? null });
    }
  };

  const change: JournalChanges['change'] = async (make, options = {}) => {
    const before = await journal.read(present(options));
    if (make(before) === before) return { journal: before, delivery: null };
    const written = await journal.update((latest) => {
      const changed = make(latest);
      return changed === latest ? latest : { ...changed, revision: latest.revision + 1 };
    }, present(options));
    return { journal: written, delivery: await waitUntilRead(written.revision, options) };
  };

  return {
    read: (options = {}) => journal.read(present(options)),
    change,
    pin: (target, options) => {
      const pin = { target, reason: 'pin', sinceMs: clock.nowMs() } as const;
      return change((state) => withPin(state, pin), options);
    },
    unpin: (targets, options) =>
      change((state) => withoutPins(state, ({ target }) => targets.includes(target)), options),
    yieldMemory: (request, options) =>
      change(
        (state) => ({
          ...state,
          yields: [...state.yields.filter(({ name }) => name !== request.name), request],
        }),
        options,
      ),
    endYield: (names, options) => {
      const ends = ({ name }: Yield): boolean => names.includes(name);
      return change(
        (state) =>
          state.yields.some(ends)
            ? { ...state, yields: state.yields.filter((one) => !ends(one)) }
            : state,
        options,
      );
    },
  };
}

/** The options without the key `signal` where it is undefined, as the journal's types demand. */
function present({ signal }: CallOptions): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

/** The journal with this pin. Returns `journal` itself where the target already has a pin that must not be replaced. */
export function withPin(journal: JournalState, pin: Pin): JournalState {
  const others = journal.pins.filter(({ target }) => target !== pin.target);
  const known = journal.pins.find(({ target }) => target === pin.target);
  // A load by hand must not replace a pin that a person has set, because an unload would remove it.
  if (known !== undefined && (known.reason === 'pin' || pin.reason === 'load')) return journal;
  return { ...journal, pins: [...others, pin] };
}

/** The journal without the pins for which `drop` is true. Returns `journal` itself where it has no such pins. */
export function withoutPins(journal: JournalState, drop: (pin: Pin) => boolean): JournalState {
  const pins = journal.pins.filter((pin) => !drop(pin));
  return pins.length === journal.pins.length ? journal : { ...journal, pins };
}

/**
 * The journal without the pins of loads by hand whose instance is no longer loaded. Such a pin
 * would apply to the next instance that gets the identifier.
 */
export function withoutStalePins(
  journal: JournalState,
  loadedIdentifiers: readonly string[],
): JournalState {
  return withoutPins(
    journal,
    ({ reason, target }) => reason === 'load' && !loadedIdentifiers.includes(target),
  );
}
