/**
 * Converts the letters A to Z to lower case, to compare names in any case. Other letters do not change, because some become
 * ASCII letters in another case (the kelvin sign K, ſ, ı), which would make different names equal.
 */
export function asciiLowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** Converts the letters a to z to upper case; see `asciiLowerCase`. */
export function asciiUpperCase(text: string): string {
  return text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
}
