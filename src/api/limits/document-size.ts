import { parse } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { tooLarge } from './limit-error.ts';
import type { DocumentLimits } from './settings.ts';

/** Refuses documents that cost too much to parse, validate or cache. */
export function limitDocumentSize({ maxCharacters, maxTokens }: DocumentLimits): Plugin {
  return {
    onParse({ params, setParseFn }) {
      const text = params.source.toString();
      if (text.length > maxCharacters)
        throw tooLarge(
          'DOCUMENT_TOO_LARGE',
          `The document has ${text.length} characters; at most ${maxCharacters} are allowed. Move values into variables.`,
        );
      setParseFn((source: Parameters<typeof parse>[0], options: Parameters<typeof parse>[1]) =>
        parse(source, { ...options, maxTokens }),
      );
    },
  };
}
