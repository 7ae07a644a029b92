import { useEffect, useState } from 'preact/hooks';
import type { Models, WhatIf } from '../api/api.generated.js';
import { messageOf } from '../api/client.js';
import { Panel } from '../shell/panel.js';
import { usePage } from '../shell/page-context.js';
import { formatCount } from '../words/format.js';
import { WhatIfAnswer } from './what-if-answer.js';
import {
  contextSteps,
  KV_CACHE_TYPES,
  MOST_PARALLEL,
  nearestStep,
  type WhatIfSettings,
} from './settings.js';

/** A question is sent when the slider rests. */
const REST_MS = 120;

/** The memory of a model with other settings, and whether it would fit. */
export function WhatIfPanel({ models }: { readonly models: Models | null }) {
  const downloaded = models?.models.filter((one) => one.downloaded) ?? [];
  const [settings, setSettings] = useState<WhatIfSettings | null>(null);
  const chosen = models?.chain.steps.find(({ verdict }) => verdict === 'chosen');
  const first = chosen?.modelKey ?? downloaded[0]?.modelKey;
  const asked = settings ?? (first === undefined ? null : asConfigured(first));
  const { answer, fault } = useAnswer(asked, models);
  if (asked === null) {
    return (
      <Panel id="what-if" title="What if?">
        <p class="soft">With a downloaded model, you can try out its settings here.</p>
      </Panel>
    );
  }
  const model = downloaded.find(({ modelKey }) => modelKey === asked.model);
  const change = (part: Partial<WhatIfSettings>) => setSettings({ ...asked, ...part });
  return (
    <Panel id="what-if" title="What if?" fault={fault}>
      <form class="what-if-form" onSubmit={(event) => event.preventDefault()}>
        <label>
          <span>Model</span>
          <select
            value={asked.model}
            onChange={({ currentTarget }) => setSettings(asConfigured(currentTarget.value))}
          >
            {downloaded.map(({ modelKey }) => (
              <option key={modelKey}>{modelKey}</option>
            ))}
          </select>
        </label>
        <ContextSlider
          most={answer?.maxContextLengthTokens ?? model?.maxContextLengthTokens ?? null}
          tokens={
            asked.contextLengthTokens ??
            answer?.settings.contextLengthTokens ??
            model?.contextLengthTokens ??
            4096
          }
          onChange={(contextLengthTokens) => change({ contextLengthTokens })}
        />
        <fieldset>
          <legend>KV cache type</legend>
          <div class="choices">
            {[null, ...KV_CACHE_TYPES].map((type) => (
              <label key={type}>
                <input
                  type="radio"
                  name="kv-cache-type"
                  checked={asked.kvCacheType === type}
                  onChange={() => change({ kvCacheType: type })}
                />
                <span>{type ?? 'default'}</span>
              </label>
            ))}
          </div>
        </fieldset>
        <ParallelSlider
          count={asked.parallelSequences ?? answer?.settings.parallelSequences ?? 1}
          onChange={(parallelSequences) => change({ parallelSequences })}
        />
      </form>
      {answer !== null && (
        <WhatIfAnswer answer={answer} settings={asked} loaded={model?.loaded ?? false} />
      )}
    </Panel>
  );
}

function asConfigured(model: string): WhatIfSettings {
  return { model, contextLengthTokens: null, kvCacheType: null, parallelSequences: null };
}

function ContextSlider(props: {
  readonly most: number | null;
  readonly tokens: number;
  readonly onChange: (tokens: number) => void;
}) {
  const steps = contextSteps(props.most);
  const text = `${formatCount(props.tokens)} tokens`;
  return (
    <label>
      <span>
        Context <span class="figure">{text}</span>
      </span>
      <input
        type="range"
        min={0}
        max={steps.length - 1}
        value={nearestStep(steps, props.tokens)}
        aria-label="Context"
        aria-valuetext={text}
        onInput={({ currentTarget }) => {
          const tokens = steps[Number(currentTarget.value)];
          if (tokens !== undefined) props.onChange(tokens);
        }}
      />
    </label>
  );
}

function ParallelSlider(props: {
  readonly count: number;
  readonly onChange: (count: number) => void;
}) {
  return (
    <label>
      <span>
        Parallel requests <span class="figure">{props.count}</span>
      </span>
      <input
        type="range"
        aria-label="Parallel requests"
        min={1}
        max={MOST_PARALLEL}
        value={props.count}
        onInput={({ currentTarget }) => props.onChange(Number(currentTarget.value))}
      />
    </label>
  );
}

/** The answer to the last settings. While a newer answer is on its way, the older one stays. */
function useAnswer(
  settings: WhatIfSettings | null,
  models: Models | null,
): {
  readonly answer: WhatIf | null;
  readonly fault: string | null;
} {
  const { api } = usePage();
  const [answer, setAnswer] = useState<WhatIf | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const key = JSON.stringify(settings);
  useEffect(() => {
    if (settings === null) return undefined;
    const stop = new AbortController();
    const timer = setTimeout(() => {
      const { model, contextLengthTokens, kvCacheType, parallelSequences } = settings;
      const parameters = {
        model,
        contextLengthTokens: contextLengthTokens ?? undefined,
        kvCacheType: kvCacheType ?? undefined,
        parallelSequences: parallelSequences ?? undefined,
      };
      api.read('whatIf', parameters, stop.signal).then(
        (next) => {
          setAnswer(next);
          setFault(null);
        },
        (error: unknown) => {
          if (!stop.signal.aborted) setFault(messageOf(error));
        },
      );
    }, REST_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
    // The models are read again when memory has changed, and after a lost connection.
  }, [api, key, models]);
  // The answer for another model says nothing about this one.
  return { answer: answer?.modelKey === settings?.model ? answer : null, fault };
}
