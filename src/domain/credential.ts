/** What a credential may do; each may do what those before it may. */
export const scopes = ["viewer", "editor", "admin"] as const;
export type Scope = (typeof scopes)[number];

/** Who may operate the service. Whoever presents its secret is taken for them. */
export type Credential = {
  readonly name: string;
  readonly scope: Scope;
  readonly email?: string;
};

/** The credential that the environment, or a file, holds. */
export const firstCredential: Credential = { name: "admin", scope: "admin" };

/** Whether a scope may do what another one may. */
export const isAtLeast = (scope: Scope, least: Scope): boolean => scopes.indexOf(scope) >= scopes.indexOf(least);
