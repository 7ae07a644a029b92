import { useEffect, useRef, useState } from 'preact/hooks';
import type { Change } from '../api/api.generated.js';
import { messageOf, type Api } from '../api/client.js';
import { usePage, type WantedChange } from '../shell/page-context.js';
import { ChangePreview } from './change-preview.js';

/** Explains a change, and carries it out when the user confirms. */
export function ChangeDialog({
  wanted,
  onClose,
}: {
  readonly wanted: WantedChange;
  readonly onClose: () => void;
}) {
  const { api, announce } = usePage();
  const dialog = useRef<HTMLDialogElement>(null);
  const [preview, setPreview] = useState<Change | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const [running, setRunning] = useState(false);

  useEffect(() => {
    const stop = new AbortController();
    // A dialog keeps the focus inside, and gives it back when it closes.
    dialog.current?.showModal();
    send(api, wanted, true, stop.signal).then(setPreview, (error: unknown) => {
      if (!stop.signal.aborted) setFault(messageOf(error));
    });
    return () => stop.abort();
  }, []);

  const confirm = async (): Promise<void> => {
    setRunning(true);
    setFault(null);
    try {
      const done = await send(api, wanted, false);
      announce(done.summary);
      dialog.current?.close();
    } catch (error) {
      setFault(messageOf(error));
      announce(messageOf(error));
    } finally {
      setRunning(false);
    }
  };

  return (
    <dialog ref={dialog} class="change" aria-labelledby="change-title" onClose={onClose}>
      <h2 id="change-title">{wanted.title}</h2>
      <div class="body" aria-live="polite" aria-busy={preview === null && fault === null}>
        {preview === null && fault === null && <p class="soft">Working out what would happen …</p>}
        {preview !== null && <ChangePreview change={preview} />}
        {fault !== null && <p class="bad">{fault}</p>}
        {running && <p>The change is being made. It continues if you close this dialog.</p>}
      </div>
      <div class="buttons">
        <button type="button" onClick={() => dialog.current?.close()}>
          {running ? 'Close' : 'Cancel'}
        </button>
        <button
          type="button"
          class="strong"
          disabled={preview === null || running}
          onClick={() => void confirm()}
        >
          {preview?.possible === false ? `${wanted.verb} all the same` : wanted.verb}
        </button>
      </div>
    </dialog>
  );
}

/** The switch tells the compiler that each name goes with its own body. */
function send(
  api: Api,
  wanted: WantedChange,
  dryRun: boolean,
  signal?: AbortSignal,
): Promise<Change> {
  switch (wanted.name) {
    case 'load':
      return api.change('load', { ...wanted.body, dryRun }, signal);
    case 'unload':
      return api.change('unload', { ...wanted.body, dryRun }, signal);
    case 'pin':
      return api.change('pin', { ...wanted.body, dryRun }, signal);
    case 'unpin':
      return api.change('unpin', { ...wanted.body, dryRun }, signal);
    case 'yield':
      return api.change('yield', { ...wanted.body, dryRun }, signal);
    case 'endYield':
      return api.change('endYield', { ...wanted.body, dryRun }, signal);
  }
}
