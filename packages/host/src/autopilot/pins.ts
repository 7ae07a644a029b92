import type { JournalState, Pin } from '@mai/autopilot';

/** The journal with this pin; the same object where an equal or stronger pin has this target. */
export function withPin(journal: JournalState, pin: Pin): JournalState {
  const others = journal.pins.filter(({ target }) => target !== pin.target);
  const known = journal.pins.find(({ target }) => target === pin.target);
  // A load or unload by hand does not replace or remove a pin that a person has set.
  if (known !== undefined && (known.reason === 'pin' || pin.reason === 'load')) return journal;
  return { ...journal, pins: [...others, pin] };
}

/** The journal without the pins for which `drop` is true; the same object where there are none. */
export function withoutPins(journal: JournalState, drop: (pin: Pin) => boolean): JournalState {
  const pins = journal.pins.filter((pin) => !drop(pin));
  return pins.length === journal.pins.length ? journal : { ...journal, pins };
}

/** The journal without the pins of loads by hand whose instance is no longer loaded. */
export function withoutStalePins(
  journal: JournalState,
  loadedIdentifiers: readonly string[],
): JournalState {
  // Otherwise the pin would apply to the next instance that takes the identifier.
  return withoutPins(
    journal,
    ({ reason, target }) => reason === 'load' && !loadedIdentifiers.includes(target),
  );
}
