import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';

/** Refuses unreadable variables, extensions and bodies with a proper error; Yoga would pass on the parser's, or none. */
export function refuseUnreadableParameters(): Plugin {
  return {
    onRequestParse({ request, requestParser, setRequestParser }) {
      if (requestParser === undefined) {
        if (request.method === 'POST') throw unknownType(request.headers.get('content-type'));
        return;
      }
      setRequestParser(async (given) => {
        try {
          return await requestParser(given);
        } catch (error) {
          if (!(error instanceof SyntaxError)) throw error;
          throw new GraphQLError('The variables and extensions of a request must be JSON.', {
            extensions: { code: 'BAD_REQUEST', http: { status: 400 } },
          });
        }
      });
    },
  };
}

function unknownType(type: string | null): GraphQLError {
  const what =
    type === null ? 'A body without a content type' : `A body of ${type.slice(0, MOST_CHARACTERS)}`;
  return new GraphQLError(`${what} cannot be read: send content-type: application/json.`, {
    extensions: { code: 'UNSUPPORTED_MEDIA_TYPE', http: { status: 415 } },
  });
}

/** Longer content types are cut off. */
const MOST_CHARACTERS = 100;
