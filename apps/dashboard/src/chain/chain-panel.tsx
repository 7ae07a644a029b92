import { useState } from 'preact/hooks';
import type { Models } from '../api/api.generated.js';
import { Panel } from '../shell/panel.js';
import { usePage } from '../shell/page-context.js';
import type { PageState } from '../state/page-state.js';
import { plural } from '../words/format.js';
import { sentence } from '../words/sentence.js';
import { SPEED_LEGEND } from '../words/speed.js';
import { ModelRow } from './model-row.js';
import { besideVerdict, verdictOf } from './verdict.js';

/** The fallback chain: for each model what it would take, whether it fits, and why not. */
export function ChainPanel({ state: { models, faults } }: { readonly state: PageState }) {
  if (models === null) {
    return (
      <Panel id="chain" title="Fallback chain" fault={faults.models}>
        {faults.models == null && <p class="soft">Reading the models …</p>}
      </Panel>
    );
  }
  return <Loaded models={models} fault={faults.models ?? null} />;
}

function Loaded({
  models: first,
  fault,
}: {
  readonly models: Models;
  readonly fault: string | null;
}) {
  const { api } = usePage();
  const [other, setOther] = useState<Models | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const models = other !== null && other.chain.name !== first.chain.name ? other : first;
  const { chain } = models;
  const show = (name: string): void => {
    setFailure(null);
    if (name === first.chain.name) {
      setOther(null);
      return;
    }
    api.read('models', { chain: name }).then(setOther, () => {
      setFailure(`The chain ${name} could not be read.`);
    });
  };
  const inChain = new Set(chain.steps.map(({ modelKey }) => modelKey));
  const beside = models.models.filter((one) => one.downloaded && !inChain.has(one.modelKey));
  const picker =
    chain.names.length < 2 ? undefined : (
      <label>
        <span>Chain</span>
        <select value={chain.name} onChange={({ currentTarget }) => show(currentTarget.value)}>
          {chain.names.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
    );
  return (
    <Panel id="chain" title="Fallback chain" aside={picker} fault={failure ?? fault}>
      {models.downloadedCount === 0 && <NothingDownloaded />}
      {chain.obstacle !== null && <p class="obstacle">{sentence(chain.obstacle)}</p>}
      <ol class="chain-list" aria-label="Models in order of preference">
        {chain.steps.map((step, index) => (
          <ModelRow
            key={step.modelKey}
            rank={index + 1}
            model={step}
            verdict={verdictOf(step, chain)}
            state={step.downloaded ? step.verdict : 'absent'}
            pools={chain.pools}
          />
        ))}
      </ol>
      {beside.length > 0 && (
        <details class="beside">
          <summary>{plural(beside.length, 'downloaded model')} outside of this chain</summary>
          <ul class="chain-list">
            {beside.map((model) => (
              <ModelRow
                key={model.modelKey}
                rank={null}
                model={{ ...model, tradeOffs: model.cheaper?.tradeOffs ?? null }}
                verdict={besideVerdict(model)}
                state={model.fits || model.cheaper !== null ? 'fits' : 'rejected'}
                pools={chain.pools}
              />
            ))}
          </ul>
        </details>
      )}
      {models.models.some(({ speed }) => speed !== null) && <p class="soft">{SPEED_LEGEND}</p>}
      {models.unusable.length > 0 && (
        <details class="beside">
          <summary>{plural(models.unusable.length, 'file')} that can not be loaded</summary>
          <ul>
            {models.unusable.map(({ modelKey, reason }) => (
              <li key={modelKey}>
                <code>{modelKey}</code> <span class="soft">{reason}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </Panel>
  );
}

function NothingDownloaded() {
  return (
    <div class="empty">
      <h3>No model is downloaded.</h3>
      <p>Mai chooses among the models on the disk. Download one in LM Studio, or in a terminal:</p>
      <ol>
        <li>
          <code>lms get qwen/qwen3-4b</code> downloads a small model that fits most machines.
        </li>
        <li>
          <code>mai config init</code> writes a chain of the downloaded models.
        </li>
      </ol>
    </div>
  );
}
