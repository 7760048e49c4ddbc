import { useQuery } from '@apollo/client/react';
import type { AccessRole } from '../generated/graphql.ts';
import { graphql } from '../generated/index.ts';

const Viewer = graphql(`
  query Viewer {
    me {
      id
      name
      role
      clearance
    }
  }
`);

/** The roles, each of which may do all that the ones before it may. */
const ROLES: readonly AccessRole[] = ['VIEWER', 'OPERATOR', 'ADMIN'];

/** Who uses the page; undefined until the server has said. */
export function useViewer() {
  return useQuery(Viewer).data?.me;
}

/** Whether the one who uses the page may do what needs a role; false until that is known. */
export function useMay(needed: AccessRole): boolean {
  const viewer = useViewer();
  return viewer !== undefined && ROLES.indexOf(viewer.role) >= ROLES.indexOf(needed);
}

/** Says beside controls that are disabled which role they need. */
export function RoleNote({ needed, id }: { needed: AccessRole; id: string }) {
  const viewer = useViewer();
  const may = useMay(needed);
  if (viewer === undefined || may) return null;
  return (
    <span id={id} className="faint role-note">
      Needs the role {roleText(needed)}; yours is {roleText(viewer.role)}.
    </span>
  );
}

export function roleText(role: AccessRole): string {
  return role.toLowerCase();
}
