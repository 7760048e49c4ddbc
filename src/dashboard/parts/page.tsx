import { type ReactNode, useEffect, useRef } from 'react';

interface PageProps {
  readonly title: string;
  /** What stands in place of the title as its heading, where that is more than text. */
  readonly heading?: ReactNode;
  /** Buttons and links beside the heading. */
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

let isFirstPage = true;

/** A page: names the tab, and takes the focus to its heading, so that a screen reader tells of the new page. */
export function Page({ title, heading, actions, children }: PageProps) {
  const ref = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    // On the first page the focus stays at the beginning, where the skip link is.
    if (!isFirstPage) ref.current?.focus({ preventScroll: true });
    isFirstPage = false;
  }, []);
  return (
    <>
      <title>{`${title} · BLADE Ingestion`}</title>
      <div className="page-head">
        <h1 ref={ref} tabIndex={-1}>
          {heading ?? title}
        </h1>
        {actions !== undefined && <div className="actions">{actions}</div>}
      </div>
      {children}
    </>
  );
}
