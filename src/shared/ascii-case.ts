/**
 * The text with the letters A to Z in lower case and all others as they are: names that people may write in any case are
 * compared so. Unicode has letters that become one of ASCII in another case (K, the sign of kelvin; ſ; ı), so that two
 * names that look and are different would be the same.
 */
export function asciiLowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** The text with the letters a to z in upper case and all others as they are. */
export function asciiUpperCase(text: string): string {
  return text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
}
