import { Text } from '@mantine/core';

/** Less important words inside a text. */
export const Faint = Text.withProps({ span: true, inherit: true, c: 'dimmed' });

/** A name or an id as machines write it. */
export const Mono = Text.withProps({ span: true, inherit: true, ff: 'monospace', fz: 12 });

/** A second line in a table's cell. */
export const Sub = Text.withProps({ span: true, inherit: true, c: 'dimmed', fz: 12, display: 'block' });

/** A message of any length, with its own line breaks. */
export const Message = Text.withProps({
  inherit: true,
  style: { whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' },
});
