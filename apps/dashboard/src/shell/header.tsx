import { useState } from 'preact/hooks';
import { plural } from '../words/format.js';
import type { PageState } from '../state/page-state.js';
import type { View } from './view.js';
import { applyTheme, storedTheme, type Theme } from './theme.js';

const RUNTIME_NAMES = { lmstudio: 'LM Studio', embedded: 'Embedded engine' } as const;

/** The top of the page: the two pages, whether everything runs, the theme, and signing out. */
export function Header({
  state: { connection, session, status },
  view,
  onSignOut,
}: {
  readonly state: PageState;
  readonly view: View;
  readonly onSignOut: () => void;
}) {
  const runtime = status?.runtime;
  const autopilot = status?.autopilot;
  return (
    <header class="header">
      <h1>Mai</h1>
      <nav aria-label="Pages">
        <a href="#machine" aria-current={view === 'machine' ? 'page' : undefined}>
          Machine
        </a>
        <a href="#fleet" aria-current={view === 'fleet' ? 'page' : undefined}>
          Fleet
        </a>
      </nav>
      <div class="facts">
        <State on={connection.state === 'live'}>
          {connection.state === 'live' ? 'Live' : 'Not connected'}
        </State>
        {runtime !== undefined && (
          <State on={runtime.state === 'running'}>
            {runtime.state === 'running'
              ? `${RUNTIME_NAMES[runtime.name]} ${runtime.version}`
              : `${RUNTIME_NAMES[runtime.name]} ${runtime.state === 'off' ? 'is off' : 'fails'}`}
          </State>
        )}
        {autopilot !== undefined && (
          <State on={autopilot !== null && autopilot.status !== 'stopped'}>
            {autopilot === null ? 'No autopilot' : `Autopilot ${autopilot.status}`}
          </State>
        )}
        {status !== null && status.elsewhere.length > 0 && (
          <span>{plural(status.elsewhere.length, 'model')} on LM Link</span>
        )}
      </div>
      <div class="tools">
        <ThemeSwitch />
        {session?.required === true && session.signedIn && (
          <button type="button" onClick={onSignOut}>
            Sign out
          </button>
        )}
      </div>
    </header>
  );
}

function State({ on, children }: { readonly on: boolean; readonly children: string }) {
  return <span class={on ? 'state on' : 'state'}>{children}</span>;
}

function ThemeSwitch() {
  const [theme, setTheme] = useState(storedTheme);
  return (
    <label>
      <span class="spoken">Colours</span>
      <select
        value={theme}
        onChange={({ currentTarget: { value } }) => {
          const next: Theme = value === 'light' || value === 'dark' ? value : 'auto';
          setTheme(next);
          applyTheme(next);
        }}
      >
        <option value="auto">As the system</option>
        <option value="light">Light</option>
        <option value="dark">Dark</option>
      </select>
    </label>
  );
}
