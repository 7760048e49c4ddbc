import { innerTypes } from '../nested-types.ts';
import { refuseOnFolder } from '../refused.ts';
import { isInteger } from '../types.ts';
import type { Family } from './family.ts';

/** Functions whose second argument must have the type of the items of the first: each engine converts others in its way. */
export function requireOneType(family: Family, second: 'an item' | 'an array'): Family {
  return Object.fromEntries(
    Object.entries(family).map(([name, write]) => [
      name,
      (call) => {
        const [list = null, other = null] = call.args.map(({ type }) => type);
        const [one = null, two = null] = [
          innerTypes(list)[0],
          second === 'an item' ? other : innerTypes(other)[0],
        ];
        const isSame = one === null || two === null || one === two || one === 'VOID' || two === 'VOID';
        if (!isSame && !(isInteger(one) && isInteger(two)))
          refuseOnFolder(`${name}() with items of the types ${one} and ${two}`, 'CAST them');
        return write(call);
      },
    ]),
  );
}
