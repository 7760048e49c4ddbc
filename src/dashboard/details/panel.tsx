import { Group } from '@mantine/core';
import type { ReactNode } from 'react';
import styles from './panel.module.css';

interface PanelProps {
  /** Its heading; or what screen readers call it, if there is none to see. */
  readonly title: string;
  readonly isUntitled?: boolean;
  /** What links lead to. */
  readonly id?: string;
  /** Controls beside the title. */
  readonly controls?: ReactNode;
  readonly children: ReactNode;
}

/** A part of a page. */
export function Panel({ title, isUntitled = false, id, controls, children }: PanelProps) {
  return (
    <section id={id} className={styles.panel} aria-label={title}>
      {!isUntitled && (
        <Group className={styles.head} justify="space-between" gap={12}>
          <h2>{title}</h2>
          {controls}
        </Group>
      )}
      {children}
    </section>
  );
}

/** Two columns, the first one wider; on a narrow page one below the other. */
export function Columns({ areEven, children }: { areEven?: boolean; children: ReactNode }) {
  return (
    <div className={styles.columns} data-even={areEven}>
      {children}
    </div>
  );
}
