import { useEffect, useState } from 'preact/hooks';

/** The two pages. The address names one: `#fleet`, and everything else for the machine. */
export type View = 'machine' | 'fleet';

/** The page that the address names. It also names the window. */
export function useView(): View {
  const [view, setView] = useState(readView);
  useEffect(() => {
    const update = () => setView(readView());
    addEventListener('hashchange', update);
    return () => removeEventListener('hashchange', update);
  }, []);
  useEffect(() => {
    document.title = view === 'fleet' ? 'Fleet – Mai' : 'Mai';
  }, [view]);
  return view;
}

function readView(): View {
  return location.hash === '#fleet' ? 'fleet' : 'machine';
}
