/**
 * The rights of each scope. `recorder` may only post events, `evaluator` only evaluate for any user. `viewer`, `editor`
 * and `admin` each include the one before, and `evaluator`; `editor` and `admin` also include `recorder`.
 */
const rights = {
  recorder: ["recorder"],
  evaluator: ["evaluator"],
  viewer: ["evaluator", "viewer"],
  editor: ["evaluator", "viewer", "recorder", "editor"],
  admin: ["evaluator", "viewer", "recorder", "editor", "admin"],
} as const satisfies Record<string, readonly string[]>;

export type Scope = keyof typeof rights;
export const scopes = Object.keys(rights) as readonly Scope[];

/** Operator credential. A request with its secret acts under its name and scope. */
export type Credential = {
  readonly name: string;
  readonly scope: Scope;
  readonly email?: string;
};

/** The credential whose secret is in the environment or in a file. */
export const firstCredential: Credential = { name: "admin", scope: "admin" };

/** Whether a scope has the right that a route requires. */
export const allows = (scope: Scope, demanded: Scope): boolean =>
  (rights[scope] as readonly Scope[]).includes(demanded);
