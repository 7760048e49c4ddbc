/** A JSON value, indented. It scrolls sideways within itself, so the keyboard can reach it. */
export function JsonView({ value, label }: { value: unknown; label: string }) {
  return <TextView text={JSON.stringify(value, null, 2)} label={label} />;
}

/** Text such as SQL, as it was written. */
export function TextView({ text, label }: { text: string; label: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reached by the keyboard
    <section className="text-view" tabIndex={0} aria-label={label}>
      <pre>{text}</pre>
    </section>
  );
}
