import { asciiLowerCase } from '../../../../shared/ascii-case.ts';
import { isObject } from '../../../../shared/json.ts';
import { getContent } from '../../../../sql-check/syntax-tree.ts';
import { readName, readObjects } from '../nodes.ts';
import { refuseOnFolder } from '../refused.ts';
import type { StatementWriter } from '../statement-writer.ts';
import type { KnownType } from '../types.ts';
import type { WrittenLambda } from '../written.ts';

/** A lambda, with the types of its parameters as far as they are known. */
export function writeLambda(
  writer: StatementWriter,
  node: unknown,
  types: readonly KnownType[],
): WrittenLambda {
  const { parameters, body } = getContent(node, 'lambda');
  if (!isObject(body)) return refuseOnFolder('A function in the place of a lambda');
  const names = readObjects(parameters).map(readName);
  const lambdas = new Map(writer.scope.lambdas);
  for (const [index, name] of names.entries()) lambdas.set(asciiLowerCase(name), types[index] ?? null);
  return { parameters: names, body: writer.within({ lambdas }, () => writer.write(body)) };
}
