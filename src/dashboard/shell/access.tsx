import { useQuery } from '@apollo/client/react';
import { Text } from '@mantine/core';
import { type ReactNode, useId } from 'react';
import type { AccessRole } from '../generated/graphql.ts';
import { graphql } from '../generated/index.ts';

const Viewer = graphql(`
  query Viewer {
    me {
      principal {
        id
        name
      }
      role
      clearance
    }
  }
`);

/** The roles; each may do everything that the ones before it may. */
const ROLES: readonly AccessRole[] = ['VIEWER', 'OPERATOR', 'ADMIN'];

/** Returns who uses the page; undefined until that is loaded. */
export function useViewer() {
  return useQuery(Viewer).data?.me ?? undefined;
}

interface Access {
  /** False until the viewer's role is known. */
  readonly isAllowed: boolean;
  /** Properties of a control that needs the role. */
  readonly control: { readonly disabled: boolean; readonly 'aria-describedby': string };
  /** Says which role is missing; goes beside the controls. */
  readonly note: ReactNode;
}

/** Checks whether the viewer has a role, for controls that need it. */
export function useAccess(needed: AccessRole): Access {
  const id = useId();
  const viewer = useViewer();
  const isAllowed = viewer !== undefined && ROLES.indexOf(viewer.role) >= ROLES.indexOf(needed);
  const note =
    viewer === undefined || isAllowed ? null : (
      <Text id={id} span c="dimmed" fz={13}>
        Needs the {nameRole(needed)} role. Your role is {nameRole(viewer.role)}.
      </Text>
    );
  return { isAllowed, control: { disabled: !isAllowed, 'aria-describedby': id }, note };
}

export function nameRole(role: AccessRole): string {
  return role.toLowerCase();
}
