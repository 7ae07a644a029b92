import { Fragment } from 'preact';

/** Short facts after each other. A line breaks between two of them, and not inside one. */
export function Figures({ items }: { readonly items: readonly string[] }) {
  return (
    <>
      {items.map((item, index) => (
        <Fragment key={item}>
          {index > 0 && ', '}
          <span class="figure">{item}</span>
        </Fragment>
      ))}
    </>
  );
}
