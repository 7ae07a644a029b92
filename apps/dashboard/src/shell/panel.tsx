import type { ComponentChildren } from 'preact';

/** A section of the page with its heading. */
export function Panel({
  id,
  title,
  aside,
  fault,
  children,
}: {
  readonly id: string;
  readonly title: string;
  /** Stands at the right of the heading. */
  readonly aside?: ComponentChildren;
  /** Why the content could not be read. */
  readonly fault?: string | null | undefined;
  readonly children: ComponentChildren;
}) {
  return (
    <section class={`panel ${id}`} aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        {aside !== undefined && <div class="aside">{aside}</div>}
      </header>
      {fault != null && <p class="bad">{fault}</p>}
      {children}
    </section>
  );
}
