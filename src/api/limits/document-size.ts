import { Lexer, type ParseOptions, parse, Source, TokenKind } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { tooLarge } from './limit-error.ts';
import type { DocumentLimits } from './settings.ts';

/** How deep brackets may be nested: the parser needs some stack for each, and a value may have only 100 levels anyway. */
const MAX_NESTING = 250;

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
      setParseFn((source: string | Source, options: ParseOptions) => {
        if (isNestedTooDeeply(text, maxTokens))
          throw tooLarge(
            'DOCUMENT_TOO_LARGE',
            `The document nests brackets more than ${MAX_NESTING} levels deep. Move values into variables.`,
          );
        return parse(source, { ...options, maxTokens });
      });
    },
  };
}

/** Reads no more tokens than may be parsed. */
function isNestedTooDeeply(text: string, maxTokens: number): boolean {
  const lexer = new Lexer(new Source(text));
  let depth = 0;
  try {
    for (let count = 0; count < maxTokens && depth <= MAX_NESTING; count += 1) {
      const { kind } = lexer.advance();
      if (OPENING.has(kind)) depth += 1;
      else if (CLOSING.has(kind)) depth -= 1;
      else if (kind === TokenKind.EOF) break;
    }
  } catch {
    // The parser will say what is no token, and where.
  }
  return depth > MAX_NESTING;
}

const OPENING: ReadonlySet<string> = new Set([TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L]);
const CLOSING: ReadonlySet<string> = new Set([TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R]);
