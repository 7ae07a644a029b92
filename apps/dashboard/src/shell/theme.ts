/** `auto` follows the system. */
export type Theme = 'auto' | 'light' | 'dark';

const KEY = 'mai-theme';

/** The theme that the user has chosen in this browser. */
export function storedTheme(): Theme {
  const stored = read();
  return stored === 'light' || stored === 'dark' ? stored : 'auto';
}

/** Shows a theme and keeps it for the next visit. */
export function applyTheme(theme: Theme): void {
  if (theme === 'auto') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
  try {
    if (theme === 'auto') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // Browsers can forbid storage. The theme then lasts until the page is closed.
  }
}

function read(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

/** The present value of a colour of theme.css, as the browser computes it. */
export function colourOf(variable: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${variable})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
