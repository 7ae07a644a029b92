import type { AssembledInput } from '../assemble/assemble-selection-input.js';
import { isSameData } from '../assemble/same-data.js';
import type { PublishedEvent } from './autopilot-event.js';
import type { AutopilotSettings } from './autopilot-options.js';
import { findDuplicates } from './find-duplicates.js';

/** Watches from round to round what is resident: an idle time that has run out, and duplicates. */
export class ResidentWatch {
  readonly #idle: AutopilotSettings['idle'];
  readonly #publish: (event: PublishedEvent) => void;
  #wanted = true;
  #hadOurs = false;
  #released = false;
  #duplicates: ReturnType<typeof findDuplicates> = [];

  constructor({ idle }: AutopilotSettings, publish: (event: PublishedEvent) => void) {
    this.#idle = idle;
    this.#publish = publish;
  }

  /** Whether something is to be loaded when nothing is: false once an idle time has run out. */
  get wanted(): boolean {
    return this.#wanted;
  }

  /** Whether nothing of ours has been loaded since the last of it went because memory ran out. */
  get released(): boolean {
    return this.#released;
  }

  /** `waiting`: how many wait for a model. */
  observe({ residents }: AssembledInput, waiting: number): void {
    const ours = residents.some((one) => !one.foreign);
    if (this.#idle === 'release') {
      if (ours || waiting > 0) this.#wanted = true;
      else if (this.#hadOurs && this.#wanted) {
        this.#wanted = false;
        this.#publish({ type: 'idle' });
      }
    }
    this.#hadOurs = ours;
    if (ours) this.#released = false;
    const duplicates = findDuplicates(residents);
    if (!isSameData(duplicates, this.#duplicates)) {
      this.#duplicates = duplicates;
      for (const duplicate of duplicates) this.#publish({ type: 'duplicates', ...duplicate });
    }
  }

  /** Memory has run out: what was loaded, or was to be, is gone. */
  release(): void {
    this.#released = true;
  }

  /** What is gone at the next look did not run out of its idle time: it was switched, or LM Studio was away. */
  forget(): void {
    this.#hadOurs = false;
  }
}
