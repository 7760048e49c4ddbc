import { Link } from 'react-router';
import { SourceName } from '../api/fragments/data-source.ts';
import { readKey } from '../format/ids.ts';
import { type FragmentType, readFragment } from '../generated/index.ts';
import { Mono } from '../parts/text.tsx';

interface SourceLinkProps {
  readonly source: FragmentType<typeof SourceName>;
  /** Whether to name its table too. */
  readonly withTable?: boolean;
}

/** Links to a data source. */
export function SourceLink({ source, withTable = false }: SourceLinkProps) {
  const { id, name, fullTableName } = readFragment(SourceName, source);
  return (
    <>
      <Link to={`/sources/${readKey(id)}`}>{name}</Link>
      {withTable && <Mono c="dimmed"> {fullTableName}</Mono>}
    </>
  );
}
