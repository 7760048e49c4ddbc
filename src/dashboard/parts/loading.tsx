import { Loader } from '@mantine/core';

export function Loading({ what }: { what: string }) {
  return (
    <div className="loading" role="status">
      <Loader size="sm" aria-hidden />
      <span>Loading {what} …</span>
    </div>
  );
}
