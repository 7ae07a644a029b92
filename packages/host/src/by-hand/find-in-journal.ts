import type { JournalState, Yield } from '@mai/autopilot';
import { didYouMean } from '@mai/model-config';
import { HostError } from '../host-error.js';

/** The pins to remove. */
export interface UnpinRequest {
  /** A pinned model key or instance identifier. Null, the default: the only pin. */
  readonly target?: string | null;
  /** Whether to remove every pin. Default false. */
  readonly all?: boolean;
}

/**
 * The targets of the pins to remove.
 *
 * @throws HostError `INVALID_REQUEST` where no pin matches, or where several pins match without `all`
 */
export function findPins(
  { pins }: JournalState,
  { target = null, all = false }: UnpinRequest,
): readonly string[] {
  const pinned = pins.map((pin) => pin.target);
  if (all || (target === null && pinned.length <= 1)) return pinned;
  if (target === null) {
    throw new HostError(
      'INVALID_REQUEST',
      `${pinned.length} pins are set: ${pinned.join(', ')}. Name one of them, or add --all.`,
    );
  }
  if (pinned.includes(target)) return [target];
  const guess = didYouMean(target, pinned);
  const next =
    pinned.length === 0
      ? 'Nothing is pinned.'
      : guess === null
        ? `Pinned: ${pinned.join(', ')}.`
        : `Did you mean ${guess}?`;
  throw new HostError('INVALID_REQUEST', `${target} is not pinned. ${next}`);
}

/**
 * The yields with a name; all yields where the name is null. @throws HostError `INVALID_REQUEST` where no yield
 * has the name
 */
export function findYields({ yields }: JournalState, name: string | null): readonly Yield[] {
  if (name === null) return yields;
  const found = yields.filter((one) => one.name === name);
  if (found.length > 0) return found;
  const names = yields.map((one) => one.name).join(', ');
  throw new HostError(
    'INVALID_REQUEST',
    `There is no yield ${JSON.stringify(name)}. ${names === '' ? 'No yield is in force.' : `Yields in force: ${names}.`}`,
  );
}
