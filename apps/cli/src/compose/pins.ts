import type { JournalState, Pin } from '@mai/autopilot';

/** The journal with this pin; the same journal where it is pinned as firmly already. */
export function withPin(journal: JournalState, pin: Pin): JournalState {
  const others = journal.pins.filter(({ target }) => target !== pin.target);
  const known = journal.pins.find(({ target }) => target === pin.target);
  // What a person has pinned stays pinned when it is loaded or unloaded by hand.
  if (known !== undefined && (known.reason === 'pin' || pin.reason === 'load')) return journal;
  return { ...journal, pins: [...others, pin] };
}

/** The journal without the pins that `drop` names; the same journal where it has none of them. */
export function withoutPins(journal: JournalState, drop: (pin: Pin) => boolean): JournalState {
  const pins = journal.pins.filter((pin) => !drop(pin));
  return pins.length === journal.pins.length ? journal : { ...journal, pins };
}
