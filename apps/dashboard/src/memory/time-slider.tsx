import { describeAt, type NamedStack } from './describe-at.js';

/**
 * Moves the cursor of the charts with the keyboard or a finger. A screen reader says the figures at the chosen time.
 * @param props.onTime - called with the chosen time in epoch seconds; null for now
 */
export function TimeSlider({
  stacks,
  index,
  nameOf,
  onTime,
}: {
  readonly stacks: readonly NamedStack[];
  /** Index of the shown time; null for now. */
  readonly index: number | null;
  readonly nameOf: (identifier: string) => string;
  readonly onTime: (seconds: number | null) => void;
}) {
  const times = stacks[0]?.stack.times ?? [];
  const last = times.length - 1;
  if (last < 1) return null;
  return (
    <label class="time-slider">
      <span class="soft">Time</span>
      <input
        type="range"
        min={0}
        max={last}
        step={1}
        value={index ?? last}
        aria-valuetext={index === null ? 'Now' : describeAt(stacks, index, nameOf)}
        onInput={({ currentTarget }) => {
          const chosen = Number(currentTarget.value);
          onTime(chosen >= last ? null : (times[chosen] ?? null));
        }}
      />
    </label>
  );
}
