import type { PredictionStats } from './prediction-stats.js';

/** An event of `diagnostics.streamLogs`, as lmstudio-js defines it. */
export type LogEvent =
  | {
      readonly type: 'llm.prediction.input';
      readonly input: string;
      readonly modelPath: string;
      readonly modelIdentifier: string;
    }
  | {
      readonly type: 'llm.prediction.output';
      readonly output: string;
      readonly stats: PredictionStats;
      readonly modelIdentifier: string;
    }
  | { readonly type: 'server.log'; readonly content: string; readonly level: 'info' }
  | {
      readonly type: 'runtime.log';
      readonly level: 'info' | 'error';
      readonly message: string;
      readonly engineName: string;
      readonly engineVersion: string;
      readonly engineType: string;
      readonly modelIdentifier: string;
      readonly instanceReference: string;
      /** Left out where the engine has no process of its own. */
      readonly pid?: number;
    };

/** Sends the events of LM Studio's logs to the clients that stream them. Past events are not kept. */
export class DiagnosticsLog {
  readonly #listeners = new Set<(event: LogEvent) => void>();

  emit(event: LogEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }

  /** The returned function ends the subscription. */
  subscribe(listener: (event: LogEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
