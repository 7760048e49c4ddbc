import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';

/** Says of a request by GET or of a form that its variables or extensions cannot be read: Yoga lets the parser's error out. */
export function refuseUnreadableParameters(): Plugin {
  return {
    onRequestParse({ requestParser, setRequestParser }) {
      if (requestParser === undefined) return;
      setRequestParser(async (request) => {
        try {
          return await requestParser(request);
        } catch (error) {
          if (!(error instanceof SyntaxError)) throw error;
          throw new GraphQLError('The variables and extensions of a request have to be JSON.', {
            extensions: { code: 'BAD_REQUEST', http: { status: 400 } },
          });
        }
      });
    },
  };
}
