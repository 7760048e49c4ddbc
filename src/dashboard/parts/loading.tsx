import { Group, Loader } from '@mantine/core';

/** Shows that something is being loaded. */
export function Loading({ what }: { what: string }) {
  return (
    <Group role="status" gap={10} px={4} py={28} c="dimmed">
      <Loader size="sm" aria-hidden />
      <span>Loading {what}…</span>
    </Group>
  );
}
