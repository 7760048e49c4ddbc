import type { Marking } from '../../data-types/marking.ts';
import { builder } from './builder.ts';

/** The markings are a closed set: rows, clearances and plug-ins with any other are refused. */
export const MarkingEnum = builder.enumType('Marking', {
  description:
    'A classification marking, from the lowest to the highest. Some have two spellings, which mean the same: items keep the one that their source states.',
  values: {
    U: { value: 'U', description: 'Unclassified, like UNCLASSIFIED.' },
    UNCLASSIFIED: { value: 'UNCLASSIFIED', description: 'Unclassified.' },
    CUI: { value: 'CUI', description: 'Controlled unclassified information.' },
    C: { value: 'C', description: 'Confidential, like CONFIDENTIAL.' },
    CONFIDENTIAL: { value: 'CONFIDENTIAL', description: 'Confidential.' },
    S: { value: 'S', description: 'Secret, like SECRET.' },
    SECRET: { value: 'SECRET', description: 'Secret.' },
    TS: { value: 'TS', description: 'Top secret, like TOP_SECRET.' },
    TOP_SECRET: { value: 'TOP SECRET', description: 'Top secret.' },
  } as const satisfies Readonly<Record<string, { value: Marking; description: string }>>,
});
