import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Api, ChangeBodies } from '../api/client.js';

/** A change that the user asks for. It is explained first and confirmed after that. */
export type WantedChange = {
  readonly [Name in keyof ChangeBodies]: {
    readonly name: Name;
    readonly body: ChangeBodies[Name];
    /** Heading of the dialog, such as `Unload acme/small`. */
    readonly title: string;
    /** Text of the button that confirms. */
    readonly verb: string;
  };
}[keyof ChangeBodies];

/** The values that every part of the page can use. */
export interface PageContext {
  readonly api: Api;
  /** Opens the dialog that explains a change. */
  readonly ask: (change: WantedChange) => void;
  /** Whether the caller may change something. */
  readonly mayChange: boolean;
  /** Whether the caller may load a model now: not while LM Studio is off. */
  readonly mayLoad: boolean;
  readonly announce: (text: string) => void;
}

export const Page = createContext<PageContext | null>(null);

/** The context of the page. @throws Error outside of the page */
export function usePage(): PageContext {
  const context = useContext(Page);
  if (context === null) throw new Error('usePage is called outside of the page.');
  return context;
}
