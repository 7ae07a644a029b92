/** The key of the autopilot's own turn. */
export const OWN_TURN = 'own';

/**
 * The order in which targets get their turns: the one that has waited longest first, and never the same
 * target twice in a row while another waits. The autopilot's own target always takes part.
 */
export class Turns {
  #queue: readonly string[] = [OWN_TURN];
  #last = OWN_TURN;

  /**
   * The key whose turn it is.
   *
   * @param waiting - the keys of the targets that callers wait for.
   * @param ownFirst - whether the autopilot's own turn comes before those of callers, unless the last turn was its own.
   */
  next(waiting: ReadonlySet<string>, ownFirst: boolean): string {
    const stays = this.#queue.filter((key) => key === OWN_TURN || waiting.has(key));
    const added = [...waiting].filter((key) => !stays.includes(key));
    this.#queue = [...stays, ...added];
    const others = this.#queue.filter((key) => key !== this.#last);
    const first = ownFirst && this.#last !== OWN_TURN ? OWN_TURN : others[0];
    return this.take(first ?? OWN_TURN);
  }

  /** Gives a key its turn now. */
  take(key: string): string {
    this.#queue = [...this.#queue.filter((one) => one !== key), key];
    this.#last = key;
    return key;
  }
}
