import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Models, Status } from '../api/api.generated.js';
import { Panel } from '../shell/panel.js';
import { usePage } from '../shell/page-context.js';
import type { PageState } from '../state/page-state.js';
import { plural } from '../words/format.js';
import { sentence } from '../words/sentence.js';
import { SPEED_LEGEND } from '../words/speed.js';
import { ModelRow } from './model-row.js';
import { stretchesOf, type Fold } from './stretches.js';
import { besideVerdict, verdictOf } from './verdict.js';

/** The fallback chain: for each model what it would take, whether it fits, and why not. */
export function ChainPanel({ state: { models, status, faults } }: { readonly state: PageState }) {
  if (models === null) {
    return (
      <Panel id="chain" title="Fallback chain" fault={faults.models}>
        {faults.models == null && <p class="soft">Reading the models …</p>}
      </Panel>
    );
  }
  const runtime = status?.runtime.name ?? null;
  return <Loaded models={models} runtime={runtime} fault={faults.models ?? null} />;
}

function Loaded({
  models: first,
  runtime,
  fault,
}: {
  readonly models: Models;
  readonly runtime: Status['runtime']['name'] | null;
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
      {models.downloadedCount === 0 && <NothingDownloaded runtime={runtime} />}
      {/* NothingDownloaded says the same at more length. */}
      {chain.obstacle !== null && chain.obstacleKind !== 'nothing-downloaded' && (
        <p class="obstacle">{sentence(chain.obstacle)}</p>
      )}
      <ol class="chain-list" aria-label="Models in order of preference">
        {stretchesOf(chain.steps, { folds: models.downloadedCount > 0 }).map((stretch) => {
          const rows = stretch.steps.map((step, index) => (
            <ModelRow
              key={step.modelKey}
              rank={stretch.firstRank + index}
              model={step}
              verdict={verdictOf(step, chain)}
              state={step.downloaded ? step.verdict : 'absent'}
              pools={chain.pools}
            />
          ));
          const { fold, firstRank } = stretch;
          return fold === null ? rows : <Folded key={firstRank} rows={rows} fold={fold} />;
        })}
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
          <summary>{plural(models.unusable.length, 'file')} that cannot be loaded</summary>
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

function Folded({
  rows,
  fold,
}: {
  readonly rows: readonly JSX.Element[];
  readonly fold: NonNullable<Fold>;
}) {
  const words = {
    absent: `${plural(rows.length, 'model')} not downloaded`,
    fits: `${plural(rows.length, 'more model')} that fit`,
    rejected: `${plural(rows.length, 'more model')} that were rejected`,
  };
  return (
    <li class="folded">
      <details>
        <summary>{words[fold]}</summary>
        <ol class="chain-list">{rows}</ol>
      </details>
    </li>
  );
}

function NothingDownloaded({ runtime }: { readonly runtime: Status['runtime']['name'] | null }) {
  if (runtime === 'embedded') {
    return (
      <div class="empty">
        <h3>No model was found on this machine.</h3>
        <p>Mai chooses among the GGUF files on the disk. Name a folder that has some:</p>
        <ol>
          <li>
            Write the folder into <code>model_folders</code> of <code>models.yaml</code>.
          </li>
          <li>
            <code>mai models</code> lists what was found there.
          </li>
        </ol>
        <p>Models of LM Studio, Ollama and the Hugging Face cache are found without that.</p>
      </div>
    );
  }
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
