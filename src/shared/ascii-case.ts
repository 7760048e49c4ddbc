/**
 * Converts the letters A to Z to lower case, to compare names that people may write in any case. Other letters stay as they
 * are: some become an ASCII letter in another case (K, the sign of kelvin; ſ; ı), which would make different names equal.
 */
export function asciiLowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** Converts the letters a to z to upper case; see `asciiLowerCase`. */
export function asciiUpperCase(text: string): string {
  return text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
}
