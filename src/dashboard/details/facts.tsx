import type { ReactNode } from 'react';
import styles from './facts.module.css';

interface FactProps {
  readonly name: string;
  readonly children: ReactNode;
  /** More, shown on hover. */
  readonly title?: string | undefined;
}

/** Names and values in two columns. */
export function Facts({ children }: { children: ReactNode }) {
  return <dl className={styles.facts}>{children}</dl>;
}

/** One name and its value. */
export function Fact({ name, title, children }: FactProps) {
  return (
    <>
      <dt>{name}</dt>
      <dd title={title}>{children}</dd>
    </>
  );
}

/** Large numbers side by side. */
export function Figures({ children }: { children: ReactNode }) {
  return <dl className={styles.figures}>{children}</dl>;
}

/** One large number, under its name. */
export function Figure({ name, children }: Omit<FactProps, 'title'>) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
