import { Group } from '@mantine/core';
import { type ReactNode, useEffect, useRef } from 'react';
import styles from './page.module.css';

interface PageProps {
  /** Names the tab. */
  readonly title: string;
  /** The heading, where it is more than the title. */
  readonly heading?: ReactNode;
  /** Buttons and links beside the heading. */
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

let isFirstPage = true;

/** A page; moves the focus to its heading, so that screen readers announce it. */
export function Page({ title, heading, actions, children }: PageProps) {
  const ref = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    // On the first page the focus stays at the top, where the skip link is.
    if (!isFirstPage) ref.current?.focus({ preventScroll: true });
    isFirstPage = false;
  }, []);
  return (
    <>
      <title>{`${title} · BLADE Ingestion`}</title>
      <Group className={styles.head} justify="space-between" gap="10px 16px">
        <h1 ref={ref} tabIndex={-1}>
          {heading ?? title}
        </h1>
        {actions !== undefined && <Group gap={8}>{actions}</Group>}
      </Group>
      {children}
    </>
  );
}
