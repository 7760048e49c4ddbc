import type { Marking } from '../../data-types/marking.ts';
import { builder } from './builder.ts';

/** The markings are a closed set: rows, clearances and plug-ins with any other are refused. */
export const MarkingEnum = builder.enumType('Marking', {
  description:
    'A classification marking, from the lowest to the highest. Some have two spellings, which mean the same: items keep the one that their source states.',
  values: {
    U: { value: 'U', description: 'Another spelling of UNCLASSIFIED.' },
    UNCLASSIFIED: { value: 'UNCLASSIFIED', description: 'The lowest level, which every principal may see.' },
    CUI: { value: 'CUI', description: 'Controlled unclassified information, the level above UNCLASSIFIED.' },
    C: { value: 'C', description: 'Another spelling of CONFIDENTIAL.' },
    CONFIDENTIAL: { value: 'CONFIDENTIAL', description: 'The level above CUI.' },
    S: { value: 'S', description: 'Another spelling of SECRET.' },
    SECRET: { value: 'SECRET', description: 'The level above CONFIDENTIAL.' },
    TS: { value: 'TS', description: 'Another spelling of TOP_SECRET.' },
    TOP_SECRET: { value: 'TOP SECRET', description: 'The highest level, which sees everything.' },
  } as const satisfies Readonly<Record<string, { value: Marking; description: string }>>,
});
