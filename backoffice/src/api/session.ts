import { queryOptions, useQuery, useQueryClient } from "@tanstack/react-query";
import { hasStatus } from "./problem.ts";
import { request } from "./request.ts";

/** The signed-in operator. */
export type Session = {
  /** The name of the credential. */
  readonly name: string;
  readonly scope: "viewer" | "editor" | "admin";
  /** When the session ends, in RFC 3339. */
  readonly expires: string;
  /** The name of the environment that the service serves. */
  readonly environment: string;
};

export const sessionKey = ["session"] as const;
const sessionPath = "admin/v1/session";

const sessionQuery = queryOptions({ queryKey: sessionKey, queryFn: readSession, staleTime: Number.POSITIVE_INFINITY });

/** The session; `null` without one, `undefined` until it is known. */
export const useSession = (): Session | null | undefined => useQuery(sessionQuery).data;

/** Why the session is not known. */
export function useSessionFailure(): { readonly error: unknown; readonly retry: () => void } | undefined {
  const { error, data, refetch } = useQuery(sessionQuery);
  return error && data === undefined ? { error, retry: () => void refetch() } : undefined;
}

/** Whether the operator may change features. Controls that would be refused are not shown. */
export const useIsEditor = (): boolean => {
  const scope = useSession()?.scope;
  return scope === "editor" || scope === "admin";
};

/** Whether the operator may manage tokens. */
export const useIsAdmin = (): boolean => useSession()?.scope === "admin";

/** Signs in and out; the session cookie is invisible to scripts. */
export function useSignIn(): {
  readonly signIn: (credential: string) => Promise<void>;
  readonly signOut: () => Promise<void>;
} {
  const client = useQueryClient();
  return {
    signIn: async (credential) => {
      client.setQueryData(sessionKey, await request<Session>(sessionPath, { method: "POST", body: { credential } }));
      await client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== sessionKey[0] });
    },
    signOut: async () => {
      await request(sessionPath, { method: "DELETE" });
      // Nothing that was read stays in memory.
      location.reload();
    },
  };
}

async function readSession(): Promise<Session | null> {
  try {
    return await request<Session>(sessionPath);
  } catch (error) {
    if (hasStatus(error, 401)) return null;
    throw error;
  }
}
