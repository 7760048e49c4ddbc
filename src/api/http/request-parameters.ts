import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';

/** Refuses unreadable variables or extensions with a proper error; Yoga would pass on the parser's. */
export function refuseUnreadableParameters(): Plugin {
  return {
    onRequestParse({ requestParser, setRequestParser }) {
      if (requestParser === undefined) return;
      setRequestParser(async (request) => {
        try {
          return await requestParser(request);
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
