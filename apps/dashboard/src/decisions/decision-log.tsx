import { useEffect, useState } from 'preact/hooks';
import type { Decisions, DecisionSummary, Explanation } from '../api/api.generated.js';
import { messageOf } from '../api/client.js';
import { Panel } from '../shell/panel.js';
import { usePage } from '../shell/page-context.js';
import { formatDuration, formatMoment, plural } from '../words/format.js';
import { joinNewest } from './join-pages.js';
import { sentence } from '../words/sentence.js';
import { Sentences } from '../why/sentences.js';

const PAGE = 12;
/** A search starts when the user pauses. */
const TYPING_MS = 250;

/** The decision log, newest first, with a search and the explanation of each decision. */
export function DecisionLog({ seen, nowMs }: { readonly seen: number; readonly nowMs: number }) {
  const { api } = usePage();
  const [search, setSearch] = useState('');
  const [found, setFound] = useState<Decisions | null>(null);
  const [foundFor, setFoundFor] = useState('');
  const [fault, setFault] = useState<string | null>(null);

  useEffect(() => {
    const stop = new AbortController();
    const timer = setTimeout(
      () => {
        api
          .read('decisions', { search: search.trim() || undefined, limit: PAGE }, stop.signal)
          .then(
            (answer) => {
              setFound((shown) => (foundFor === search ? joinNewest(answer, shown) : answer));
              setFoundFor(search);
              setFault(null);
            },
            (error: unknown) => {
              if (!stop.signal.aborted) setFault(messageOf(error));
            },
          );
      },
      search === '' ? 0 : TYPING_MS,
    );
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [api, search, seen]);

  const showOlder = async (shown: Decisions, before: string): Promise<void> => {
    try {
      const older = await api.read('decisions', {
        search: search.trim() || undefined,
        before,
        limit: PAGE,
      });
      const joined = { ...older, decisions: [...shown.decisions, ...older.decisions] };
      // Another search may have been answered in the meantime.
      setFound((present) => (present === shown ? joined : present));
    } catch (error) {
      setFault(messageOf(error));
    }
  };

  return (
    <Panel
      id="decisions"
      title="Decisions"
      fault={fault}
      aside={
        <label>
          <span>Search</span>
          <input
            type="search"
            value={search}
            placeholder="model, reason or words"
            onInput={({ currentTarget }) => setSearch(currentTarget.value)}
          />
        </label>
      }
    >
      <p class="spoken" role="status">
        {found !== null && search !== '' && plural(found.decisions.length, 'decision')}
      </p>
      {found !== null && found.decisions.length === 0 && <Nothing search={search} />}
      {found !== null && found.decisions.length > 0 && (
        <ol class="decision-list" aria-label="Decisions, newest first">
          {found.decisions.map((decision) => (
            <Decision key={decision.id} decision={decision} nowMs={nowMs} />
          ))}
        </ol>
      )}
      {found?.next != null && (
        <button type="button" onClick={() => void showOlder(found, found.next ?? '')}>
          Show older
        </button>
      )}
      {found !== null && found.unreadableLines > 0 && (
        <p class="soft">{plural(found.unreadableLines, 'line')} of the log could not be read.</p>
      )}
    </Panel>
  );
}

function Nothing({ search }: { readonly search: string }) {
  return search === '' ? (
    <div class="empty">
      <p>
        The log is empty. The autopilot writes each decision here with its reason and its figures.
      </p>
    </div>
  ) : (
    <p class="soft">No decision has all of these words: {search}</p>
  );
}

function Decision({
  decision,
  nowMs,
}: {
  readonly decision: DecisionSummary;
  readonly nowMs: number;
}) {
  const { api } = usePage();
  const [explained, setExplained] = useState<Explanation | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const explain = (open: boolean): void => {
    if (!open || explained !== null) return;
    api.read('decision', { id: decision.id }).then(
      (answer) => {
        setExplained(answer);
        setFault(null);
      },
      (error: unknown) => setFault(messageOf(error)),
    );
  };
  const { atMs, acted, direction, headline, reason, tookMs } = decision;
  const sign = !acted ? '·' : direction === 'up' ? '↑' : direction === 'down' ? '↓' : '→';
  return (
    <li>
      <details onToggle={({ currentTarget }) => explain(currentTarget.open)}>
        <summary class={acted ? 'acted' : ''}>
          <time dateTime={new Date(atMs).toISOString()}>{formatMoment(atMs, nowMs)}</time>
          <span class="sign" aria-hidden="true">
            {sign}
          </span>
          <span class="what">{sentence(headline)}</span>
          <span class="number soft">{tookMs === null ? '' : formatDuration(tookMs)}</span>
          <code class="soft">{reason}</code>
        </summary>
        <div class="explained">
          {fault !== null && <p class="bad">{fault}</p>}
          {explained !== null && <Sentences explanation={explained} />}
          {explained !== null && explained.failures.length > 0 && (
            <ul class="bad">
              {explained.failures.map(({ modelKey, message }) => (
                <li key={modelKey}>
                  {modelKey}: {message}
                </li>
              ))}
            </ul>
          )}
          <p class="soft">
            <code>mai explain {decision.id}</code>
          </p>
        </div>
      </details>
    </li>
  );
}
