import { type GraphQLSchema, isAbstractType } from 'graphql';

/** Plugin of codegen: which types an interface or union can be, as Apollo Client's cache wants to know it. */
export function plugin(schema: GraphQLSchema): string {
  const possibleTypes = Object.fromEntries(
    Object.values(schema.getTypeMap())
      .filter((type) => isAbstractType(type))
      .map((type) => [type.name, schema.getPossibleTypes(type).map(({ name }) => name)]),
  );
  return `export const possibleTypes: Record<string, string[]> = ${JSON.stringify(possibleTypes, null, 2)};\n`;
}
