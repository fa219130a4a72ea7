/** A person who was looked up, and when. */
type RecentPerson = { readonly id: string; readonly at: string };

const setting = "tidegate.people";
const maxKept = 8;

/** The people who were looked up last in this browser, the last one first. */
export const recentPeople = (): readonly RecentPerson[] => JSON.parse(localStorage.getItem(setting) ?? "[]");

/** Remembers that a person was looked up. Tokens are never passed here. */
export function rememberPerson(id: string): void {
  const others = recentPeople().filter((person) => person.id !== id);
  localStorage.setItem(setting, JSON.stringify([{ id, at: new Date().toISOString() }, ...others].slice(0, maxKept)));
}
