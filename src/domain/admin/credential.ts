/**
 * The rights of each scope. `recorder` may only post events, `evaluator` only evaluate for any user, and `frontend`
 * only evaluate with claims, which select no user's data. `viewer`, `editor` and `admin` each include the one before,
 * `evaluator` and `frontend`; `editor` and `admin` also include `recorder`.
 */
const rights = {
  recorder: ["recorder"],
  evaluator: ["evaluator"],
  frontend: ["frontend"],
  viewer: ["evaluator", "frontend", "viewer"],
  editor: ["evaluator", "frontend", "viewer", "recorder", "editor"],
  admin: ["evaluator", "frontend", "viewer", "recorder", "editor", "admin"],
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
export const allows = (scope: Scope, required: Scope): boolean =>
  (rights[scope] as readonly Scope[]).includes(required);
