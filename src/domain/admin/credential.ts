/** The rights of each scope: `recorder` posts events and nothing else, of the others each has those of the one before. */
const rights = {
  recorder: ["recorder"],
  viewer: ["viewer"],
  editor: ["viewer", "recorder", "editor"],
  admin: ["viewer", "recorder", "editor", "admin"],
} as const satisfies Record<string, readonly string[]>;

export type Scope = keyof typeof rights;
export const scopes = Object.keys(rights) as readonly Scope[];

/** Who may operate the service. Whoever presents its secret is taken for them. */
export type Credential = {
  readonly name: string;
  readonly scope: Scope;
  readonly email?: string;
};

/** The credential that the environment, or a file, holds. */
export const firstCredential: Credential = { name: "admin", scope: "admin" };

/** Whether a scope has the right to what a route demands. */
export const allows = (scope: Scope, demanded: Scope): boolean =>
  (rights[scope] as readonly Scope[]).includes(demanded);
