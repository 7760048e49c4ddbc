import styles from './text-view.module.css';

/** Shows a JSON value, indented. */
export function JsonView({ value, label }: { value: unknown; label: string }) {
  return <TextView text={JSON.stringify(value, null, 2)} label={label} />;
}

/** Shows text such as SQL as it was written. */
export function TextView({ text, label }: { text: string; label: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard must reach a box that scrolls
    <section className={styles.box} tabIndex={0} aria-label={label}>
      <pre>{text}</pre>
    </section>
  );
}
