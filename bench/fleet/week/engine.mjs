/** Requests that each loaded copy answers at the same time: LM Studio's default. Further ones wait in its queue. */
export const PARALLEL = 4;

/**
 * The engine of one machine. Requests of all of its loaded models share it: with n requests each runs at
 * `1 / (1 + slowdown * (n - 1))` of its speed alone. A loaded copy keeps the prompts of its last four conversations.
 */
export class Engine {
  #clock;
  #slowdown;
  #speeds;
  #active = [];
  #waiting = new Map();
  #caches = new Map();
  #atMs = 0;
  #cancelNext = () => undefined;

  constructor(clock, { slowdown, speeds }) {
    this.#clock = clock;
    this.#slowdown = slowdown;
    this.#speeds = speeds;
  }

  /**
   * Begins a request at a loaded copy, or queues it there.
   *
   * @param on `first` is called with the first token, `done` at the end, `broken` when the copy was unloaded before the end
   * @returns a function that ends the request without an answer
   */
  submit(instance, modelKey, request, on) {
    const job = { instance, modelKey, request, on, promptMs: 0, answerMs: 0, hasFirst: false };
    this.#advance();
    if (this.#running(instance) < PARALLEL) this.#begin(job);
    else this.#queueOf(instance).push(job);
    this.#schedule();
    return () => {
      this.#advance();
      this.#remove(job);
      this.#schedule();
    };
  }

  /** The copy was unloaded. */
  gone(instance) {
    this.#advance();
    this.#caches.delete(instance);
    const broken = [
      ...this.#active.filter((job) => job.instance === instance),
      ...(this.#waiting.get(instance) ?? []),
    ];
    this.#active = this.#active.filter((job) => job.instance !== instance);
    this.#waiting.delete(instance);
    this.#schedule();
    for (const { on } of broken) on.broken();
  }

  #begin(job) {
    const { promptTokens, answerTokens, conversation } = job.request;
    const cache = this.#caches.get(job.instance) ?? new Map();
    this.#caches.set(job.instance, cache);
    const cached = Math.min(cache.get(conversation) ?? 0, promptTokens);
    // Deleted first, so that the newest conversation is the last of the map.
    cache.delete(conversation);
    cache.set(conversation, promptTokens + answerTokens);
    if (cache.size > PARALLEL) cache.delete(cache.keys().next().value);
    const { prompt, decode } = this.#speeds[job.modelKey];
    job.promptMs = ((promptTokens - cached) / prompt) * 1_000;
    job.answerMs = (answerTokens / decode) * 1_000;
    this.#active.push(job);
  }

  #advance() {
    const nowMs = this.#clock.nowMs();
    let done = (nowMs - this.#atMs) / this.#factor();
    this.#atMs = nowMs;
    if (this.#active.length === 0) return;
    for (const job of this.#active) {
      const prompt = Math.min(done, job.promptMs);
      job.promptMs -= prompt;
      job.answerMs -= done - prompt;
    }
  }

  #factor() {
    return 1 + this.#slowdown * Math.max(0, this.#active.length - 1);
  }

  #schedule() {
    this.#cancelNext();
    let next = Infinity;
    for (const job of this.#active) {
      next = Math.min(next, job.hasFirst ? job.answerMs : job.promptMs);
    }
    if (next === Infinity) return;
    const atMs = this.#clock.nowMs() + Math.max(0, next) * this.#factor();
    this.#cancelNext = this.#clock.at(atMs, () => this.#happen());
  }

  #happen() {
    this.#advance();
    const [first, done] = [[], []];
    for (const job of this.#active) {
      if (!job.hasFirst && job.promptMs <= 1e-6) {
        job.hasFirst = true;
        first.push(job);
      } else if (job.hasFirst && job.answerMs <= 1e-6) done.push(job);
    }
    for (const job of done) this.#remove(job);
    this.#schedule();
    for (const { on } of first) on.first();
    for (const { on } of done) on.done();
    // A sleep of 0 ms lets the code that waits for these requests run before the simulated time moves on.
    void this.#clock.sleep(0, { signal: null });
  }

  #remove(job) {
    const at = this.#active.indexOf(job);
    const queue = this.#queueOf(job.instance);
    if (at === -1) {
      const place = queue.indexOf(job);
      if (place !== -1) queue.splice(place, 1);
      return;
    }
    this.#active.splice(at, 1);
    const next = queue.shift();
    if (next !== undefined) this.#begin(next);
  }

  #running(instance) {
    return this.#active.filter((job) => job.instance === instance).length;
  }

  #queueOf(instance) {
    const queue = this.#waiting.get(instance) ?? [];
    this.#waiting.set(instance, queue);
    return queue;
  }
}
