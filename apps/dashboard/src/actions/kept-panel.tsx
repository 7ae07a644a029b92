import { useState } from 'preact/hooks';
import type { Status, YieldRequest } from '../api/api.generated.js';
import { Panel } from '../shell/panel.js';
import { usePage } from '../shell/page-context.js';
import { formatBytes, formatMoment, parseBytes } from '../words/format.js';

/** Pins and yields: the user's own wishes, and the form for a new yield. */
export function KeptPanel({
  status,
  nowMs,
}: {
  readonly status: Status | null;
  readonly nowMs: number;
}) {
  const { ask, mayChange } = usePage();
  if (status === null) return null;
  const { pins, yields } = status;
  const hasVram = status.pools.some(({ pool }) => pool !== 'ram');
  const poolNames = { ram: 'RAM', gpu: 'VRAM', all: hasVram ? 'RAM and VRAM' : 'RAM' };
  return (
    <Panel id="kept" title="Pins and yields">
      <ul class="kept" aria-label="Pins and yields">
        {pins.map(({ target, reason }) => (
          <li key={`pin ${target}`}>
            <span>
              <span class="key">{target}</span>{' '}
              <span class="soft">
                {reason === 'load' ? 'stays: loaded by hand' : 'stays: pinned'}
              </span>
            </span>
            {mayChange && (
              <button
                type="button"
                class="quiet"
                aria-label={`Unpin ${target}`}
                onClick={() =>
                  ask({ name: 'unpin', body: { target }, title: `Unpin ${target}`, verb: 'Unpin' })
                }
              >
                Unpin
              </button>
            )}
          </li>
        ))}
        {yields.map(({ name, bytes, pools, untilMs, processId }) => (
          <li key={`yield ${name}`}>
            <span>
              <strong>{formatBytes(bytes)}</strong> of {poolNames[pools]} ({name}){' '}
              <span class="soft">{endOf(untilMs, processId, nowMs)}</span>
            </span>
            {mayChange && (
              <button
                type="button"
                class="quiet"
                aria-label={`End the yield ${name}`}
                onClick={() =>
                  ask({
                    name: 'endYield',
                    body: { name },
                    title: `End the yield ${name}`,
                    verb: 'End',
                  })
                }
              >
                End
              </button>
            )}
          </li>
        ))}
      </ul>
      {pins.length + yields.length === 0 && (
        <p class="soft">
          A pin keeps a model loaded. A yield keeps memory free for another program, such as a game
          or a build.
        </p>
      )}
      {mayChange && (
        <YieldForm
          hasVram={hasVram}
          onYield={(body) =>
            ask({
              name: 'yield',
              body,
              title: `Keep ${formatBytes(body.bytes)} free`,
              verb: 'Keep free',
            })
          }
        />
      )}
    </Panel>
  );
}

function endOf(untilMs: number | null, processId: number | null, nowMs: number): string {
  if (untilMs !== null) return `until ${formatMoment(untilMs, nowMs)}`;
  return processId === null ? 'until you end it' : `while process ${processId} runs`;
}

function YieldForm({
  hasVram,
  onYield,
}: {
  /** If false, the panel offers no choice between RAM and VRAM. */
  readonly hasVram: boolean;
  readonly onYield: (body: YieldRequest) => void;
}) {
  const [amount, setAmount] = useState('');
  const [pools, setPools] = useState<'ram' | 'gpu' | 'all'>('all');
  const [minutes, setMinutes] = useState('');
  const [wrong, setWrong] = useState(false);
  const submit = (): void => {
    const bytes = parseBytes(amount);
    setWrong(bytes === null);
    if (bytes === null) return;
    const untilMs = minutes === '' ? null : Date.now() + Number(minutes) * 60_000;
    onYield({ bytes, pools, untilMs });
  };
  return (
    <form
      class="yield-form"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <label>
        <span>Keep free</span>
        <input
          type="text"
          value={amount}
          placeholder="8 GiB"
          aria-invalid={wrong}
          aria-describedby={wrong ? 'yield-wrong' : undefined}
          onInput={({ currentTarget }) => setAmount(currentTarget.value)}
        />
      </label>
      {hasVram && (
        <label>
          <span>Of</span>
          <select
            value={pools}
            onChange={({ currentTarget: { value } }) =>
              setPools(value === 'ram' || value === 'gpu' ? value : 'all')
            }
          >
            <option value="all">RAM and VRAM</option>
            <option value="ram">RAM</option>
            <option value="gpu">VRAM</option>
          </select>
        </label>
      )}
      <label>
        <span>For</span>
        <select value={minutes} onChange={({ currentTarget }) => setMinutes(currentTarget.value)}>
          <option value="">no set time</option>
          <option value="30">30 minutes</option>
          <option value="120">2 hours</option>
          <option value="480">8 hours</option>
        </select>
      </label>
      <button type="submit">Yield memory</button>
      {wrong && (
        <p id="yield-wrong" class="bad" role="alert">
          Give an amount such as 8 GiB or 500 MB.
        </p>
      )}
    </form>
  );
}
