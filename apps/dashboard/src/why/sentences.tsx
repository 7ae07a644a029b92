import type { Explanation } from '../api/api.generated.js';

/** An explanation: one labelled sentence a line. */
export function Sentences({ sentences }: Pick<Explanation, 'sentences'>) {
  return (
    <dl class="sentences">
      {sentences.map(({ label, text }, index) => (
        <div key={index}>
          <dt>{label}</dt>
          <dd>{text}</dd>
        </div>
      ))}
    </dl>
  );
}
