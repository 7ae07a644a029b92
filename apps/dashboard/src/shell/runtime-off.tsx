import type { Status } from '../api/api.generated.js';

/** Says why the runtime is off or fails, and how to start LM Studio. */
export function RuntimeOff({ runtime }: { readonly runtime: Status['runtime'] }) {
  if (runtime.state === 'running') return null;
  if (runtime.state === 'failing') {
    const name = runtime.name === 'embedded' ? 'The embedded engine' : 'LM Studio';
    return (
      <section class="empty" aria-labelledby="runtime-off">
        <h2 id="runtime-off">{name} runs, but does not list its loaded models.</h2>
        <p class="soft">{runtime.message}</p>
      </section>
    );
  }
  if (runtime.name === 'embedded') {
    return (
      <section class="empty" aria-labelledby="runtime-off">
        <h2 id="runtime-off">The embedded engine is not installed, so nothing can be loaded.</h2>
        <p class="soft">{runtime.message}</p>
      </section>
    );
  }
  return (
    <section class="empty" aria-labelledby="runtime-off">
      <h2 id="runtime-off">LM Studio is off, so nothing can be loaded.</h2>
      <p class="soft">{runtime.message}</p>
      <ol>
        <li>
          Open the LM Studio app, or run <code>lms daemon up</code> on a machine without a screen.
        </li>
        <li>
          Run <code>lms server start</code>, or switch the server on under Developer.
        </li>
      </ol>
      <p>This page notices by itself. What the models would take is shown below all the same.</p>
    </section>
  );
}
