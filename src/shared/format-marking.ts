/** Words a marking of the API for people: TOP_SECRET is TOP SECRET. */
export function formatMarking(marking: string): string {
  return marking.replaceAll('_', ' ');
}
