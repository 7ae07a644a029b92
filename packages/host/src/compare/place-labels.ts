import { textWidth, truncateMiddle } from '../terminal/text.js';

/** A rectangle of a plot, in its own units. */
export interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** A point with the name that is written beside it. */
export interface NamedPoint {
  readonly x: number;
  readonly y: number;
  readonly name: string;
}

/** A text beside a point: the left or right end of its baseline. */
export interface PlacedLabel {
  readonly x: number;
  readonly y: number;
  readonly anchor: 'start' | 'end';
  readonly text: string;
}

/** Average width of a character of a sans-serif font of 12 units, rounded up. */
const CHARACTER_WIDTH = 7;
const LINE_HEIGHT = 14;
/** Part of the line below the baseline. */
const DESCENT = 4;
/** Distance between a point and its label. */
const GAP = 9;
const LONGEST_NAME = 44;
/** Distances of a label's baseline from its point, the best first. */
const SHIFTS = [-6, 16, 4, -20, 30, -34, 44, -48, 58, -62] as const;

/**
 * Places the names so that they lie within the area and do not cover each other or a point. Where a name has no such place, it
 * gets the first place within the area. The first point chooses first.
 */
export function placeLabels(points: readonly NamedPoint[], area: Box): readonly PlacedLabel[] {
  const taken: Box[] = points.map(({ x, y }) => ({
    left: x - 5,
    right: x + 5,
    top: y - 5,
    bottom: y + 5,
  }));
  return points.map(({ x, y, name }) => {
    const text = truncateMiddle(name, LONGEST_NAME);
    const width = textWidth(text) * CHARACTER_WIDTH;
    const place = (shift: number, anchor: PlacedLabel['anchor']) => {
      const label = { x: anchor === 'start' ? x + GAP : x - GAP, y: y + shift, anchor, text };
      const left = anchor === 'start' ? label.x : label.x - width;
      const bottom = label.y + DESCENT;
      return { label, box: { left, right: left + width, top: bottom - LINE_HEIGHT, bottom } };
    };
    const inside = SHIFTS.flatMap((shift) => [place(shift, 'start'), place(shift, 'end')]).filter(
      ({ box }) => contains(area, box),
    );
    const free = inside.find(({ box }) => !taken.some((other) => overlap(box, other)));
    const { label, box } = free ?? inside[0] ?? place(SHIFTS[0], 'start');
    taken.push(box);
    return label;
  });
}

function contains(area: Box, box: Box): boolean {
  return (
    box.left >= area.left &&
    box.right <= area.right &&
    box.top >= area.top &&
    box.bottom <= area.bottom
  );
}

function overlap(one: Box, other: Box): boolean {
  return (
    one.left < other.right &&
    one.right > other.left &&
    one.top < other.bottom &&
    one.bottom > other.top
  );
}
