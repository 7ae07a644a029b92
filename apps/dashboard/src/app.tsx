import { useEffect, useMemo, useReducer, useRef, useState } from 'preact/hooks';
import { messageOf, type Api } from './api/client.js';
import { ChangeDialog } from './actions/change-dialog.js';
import { KeptPanel } from './actions/kept-panel.js';
import { ChainPanel } from './chain/chain-panel.js';
import { DecisionLog } from './decisions/decision-log.js';
import { FleetPage } from './fleet/fleet-page.js';
import { MemoryPanel } from './memory/memory-panel.js';
import { QueuePanel } from './queue/queue-panel.js';
import { Header } from './shell/header.js';
import { Page, type WantedChange } from './shell/page-context.js';
import { RuntimeOff } from './shell/runtime-off.js';
import { useView } from './shell/view.js';
import { SignIn } from './sign-in/sign-in.js';
import { followMachine } from './state/follow-machine.js';
import { FIRST_STATE, reducePage, type PageState } from './state/page-state.js';
import { WhatIfPanel } from './what-if/what-if-panel.js';
import { WhyPanel } from './why/why-panel.js';

/** The whole page. */
export function App({ api }: { readonly api: Api }) {
  const [state, dispatch] = useReducer(reducePage, FIRST_STATE);
  const [visit, setVisit] = useState(0);
  const [wanted, setWanted] = useState<WantedChange | null>(null);
  const nowMs = useNow();
  const view = useView();
  const main = useRef<HTMLElement>(null);

  useEffect(() => {
    const stop = new AbortController();
    void followMachine(api, dispatch, stop.signal);
    return () => stop.abort();
  }, [api, visit]);

  const { connection, session } = state;
  const mayChange = session === null || !session.required || session.scopes.includes('control');
  const mayLoad = mayChange && state.status?.runtime.state === 'running';
  const context = useMemo(
    () => ({
      api,
      mayChange,
      mayLoad,
      ask: setWanted,
      announce: (text: string) => dispatch({ type: 'announce', text }),
    }),
    [api, mayChange, mayLoad],
  );
  const signOut = async (): Promise<void> => {
    try {
      await api.signOut();
    } catch (error) {
      dispatch({ type: 'announce', text: messageOf(error) });
    }
    setVisit((count) => count + 1);
  };
  return (
    <Page.Provider value={context}>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          // The fragment of the address selects the page, so a jump to #main would leave the page.
          event.preventDefault();
          main.current?.focus();
        }}
      >
        Skip to the content
      </a>
      <div class="page">
        <Header state={state} view={view} onSignOut={() => void signOut()} />
        <main id="main" ref={main} tabIndex={-1}>
          {connection.state === 'sign-in' ? (
            <SignIn onSignedIn={() => setVisit((count) => count + 1)} />
          ) : (
            <>
              {connection.state === 'lost' && (
                <p class="notice">
                  The gateway does not answer. The page shows the last figures and connects again by
                  itself.
                </p>
              )}
              {view === 'machine' && <Machine state={state} nowMs={nowMs} />}
              {view === 'fleet' && connection.state !== 'connecting' && (
                <FleetPage seen={state.fleetSeen} nowMs={nowMs} />
              )}
            </>
          )}
        </main>
      </div>
      <p class="spoken" role="status" aria-live="polite">
        {/* The key makes a screen reader say an equal text again. */}
        {state.announcement.text !== '' && (
          <span key={state.announcement.count}>{state.announcement.text}</span>
        )}
      </p>
      {wanted !== null && <ChangeDialog wanted={wanted} onClose={() => setWanted(null)} />}
    </Page.Provider>
  );
}

function Machine({ state, nowMs }: { readonly state: PageState; readonly nowMs: number }) {
  const { connection, status, models } = state;
  return (
    <>
      {status?.autopilot?.fault != null && <p class="notice">{status.autopilot.fault}</p>}
      {status === null ? (
        <p class="soft waiting">{connection.state === 'lost' ? '' : 'Reading the machine …'}</p>
      ) : (
        <>
          <RuntimeOff runtime={status.runtime} />
          <div class="grid">
            <div class="column">
              <WhyPanel state={state} nowMs={nowMs} />
              <QueuePanel state={state} />
            </div>
            <MemoryPanel state={state} nowMs={nowMs} />
          </div>
          <div class="grid wide-left">
            <div class="column">
              <ChainPanel state={state} />
              <DecisionLog seen={state.decisionsSeen} nowMs={nowMs} />
            </div>
            <div class="column">
              <WhatIfPanel models={models} />
              <KeptPanel status={status} nowMs={nowMs} />
            </div>
          </div>
        </>
      )}
    </>
  );
}

/** The present time, renewed every five seconds. */
function useNow(): number {
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 5000);
    return () => clearInterval(timer);
  }, []);
  return nowMs;
}
