import type { Explanation } from '../api/api.generated.js';
import { sentence } from '../words/sentence.js';

/** An explanation: one labelled sentence a line. */
export function Sentences({
  explanation: { sentences, modelKey, rejected },
}: {
  readonly explanation: Explanation;
}) {
  const names = [modelKey, ...rejected.map((one) => one.modelKey)];
  return (
    <dl class="sentences">
      {sentences.map(({ label, text }, index) => (
        <div key={index}>
          <dt>{label}</dt>
          <dd>{sentence(text, names)}</dd>
        </div>
      ))}
    </dl>
  );
}
