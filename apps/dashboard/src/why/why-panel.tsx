import { Panel } from '../shell/panel.js';
import { Sentences } from './sentences.js';
import type { PageState } from '../state/page-state.js';
import { sentence } from '../words/sentence.js';
import {
  formatBytes,
  formatDuration,
  formatMoment,
  formatPercent,
  formatTokens,
} from '../words/format.js';
import { formatSpeed, type Judged } from '../words/speed.js';

/** Which model is in use now, and why this one. */
export function WhyPanel({ state, nowMs }: { readonly state: PageState; readonly nowMs: number }) {
  const { explanation, status, step, faults } = state;
  const shown = explanation === null ? null : explanation.modelKey;
  const resident = status?.residents.find(({ modelKey }) => modelKey === shown) ?? null;
  return (
    <Panel id="why" title="Why this one?" fault={faults.explanation}>
      {step !== null && (
        <div class="step">
          <p>
            A switch is under way: {step.step}
            {step.modelKey !== null && <code> {step.modelKey}</code>}
          </p>
          {step.progressRatio !== null && (
            <label>
              <span class="spoken">Progress of the load</span>
              <progress value={step.progressRatio} /> {formatPercent(step.progressRatio)}
            </label>
          )}
        </div>
      )}
      {explanation === null ? (
        <NoDecision
          running={status?.autopilot != null}
          isOff={status !== null && status.runtime.state === 'off'}
        />
      ) : (
        <>
          <p class="headline prose">{sentence(explanation.headline)}</p>
          {resident !== null && (
            <dl class="figures">
              <Figure
                name="Context"
                value={formatTokens(resident.contextLengthTokens)}
                unit="tokens"
              />
              <Figure
                name="Takes"
                value={formatBytes(resident.footprint?.totalBytes ?? null)}
                unit={resident.footprint?.source === 'measured' ? 'measured' : 'expected'}
              />
              <Figure name="Headroom" value={formatBytes(explanation.headroomBytes)} unit="" />
              <JudgedFigures judged={explanation} />
            </dl>
          )}
          <Sentences explanation={explanation} />
          <p class="soft since">
            Decided{' '}
            <time dateTime={new Date(explanation.atMs).toISOString()}>
              {formatMoment(explanation.atMs, nowMs)}
            </time>
            . Id for <code>mai explain</code>: <code>{explanation.id}</code>
          </p>
        </>
      )}
    </Panel>
  );
}

/** Speed and quality of the chosen load. A figure that is not known is left out. */
function JudgedFigures({ judged: { speed, quality } }: { readonly judged: Judged }) {
  const unit = speed?.measured === true ? '' : 'expected';
  return (
    <>
      {speed !== null && (
        <>
          <Figure
            name="Generates"
            value={formatSpeed(speed.tokensPerSecond)}
            unit={`tokens/s ${unit}`}
          />
          <Figure
            name="First token"
            value={formatDuration(speed.firstTokenMs)}
            unit={`at 2,000 tokens ${unit}`}
          />
        </>
      )}
      {speed?.loadMs != null && (
        <Figure name="Loads in" value={formatDuration(speed.loadMs)} unit="expected" />
      )}
      {quality !== null && <Figure name="Quality" value={quality.toFixed(2)} unit="of 1" />}
    </>
  );
}

function Figure(props: { readonly name: string; readonly value: string; readonly unit: string }) {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>
        <strong>{props.value}</strong> <span class="soft">{props.unit}</span>
      </dd>
    </div>
  );
}

function NoDecision({
  running,
  isOff,
}: {
  readonly running: boolean;
  /** Whether the runtime is off. Then `mai serve` runs without an autopilot. */
  readonly isOff: boolean;
}) {
  return (
    <div class="empty">
      <h3>No decision yet.</h3>
      {running ? (
        <p>The autopilot makes its first decision as soon as it has read the memory.</p>
      ) : isOff ? (
        <p>
          <code>mai serve</code> starts the autopilot when models can be loaded.
        </p>
      ) : (
        <p>
          No autopilot runs on this machine. <code>mai serve</code> runs one while the gateway is
          up, and <code>mai watch</code> runs one in a terminal.
        </p>
      )}
    </div>
  );
}
