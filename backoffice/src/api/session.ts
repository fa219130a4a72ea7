import { queryOptions, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { servicePath } from "../routing/location.ts";
import { bodyOf, v1 } from "./client.ts";
import { hasStatus } from "./problem.ts";

const route = v1.session;

/** The signed-in operator: the name and scope of the credential, the end of the session, and the environment. */
export type Session = Awaited<ReturnType<typeof get>>;

const get = () => bodyOf(route.$get());

export const sessionKey = ["session"] as const;

const sessionQuery = queryOptions({ queryKey: sessionKey, queryFn: readSession, staleTime: Number.POSITIVE_INFINITY });

/** The session; `null` without one, `undefined` until it is known. */
export const useSession = (): Session | null | undefined => useQuery(sessionQuery).data;

/** Why the session is not known. */
export function useSessionFailure(): { readonly error: unknown; readonly retry: () => void } | undefined {
  const { error, data, refetch } = useQuery(sessionQuery);
  return error && data === undefined ? { error, retry: () => void refetch() } : undefined;
}

/** Tells the other windows of the browser, which have the same cookie, who is signed in now. */
const otherWindows = new BroadcastChannel(`${servicePath}session`);
const tellOthers = (session: Session | null) => otherWindows.postMessage(session?.name ?? null);

/** Takes over a session that another window began or ended. What was read for one operator is shown to no other. */
export function useSessionElsewhere(): void {
  const client = useQueryClient();
  const name = useSession()?.name;
  const operator = useRef(name);
  useEffect(() => {
    if (name !== undefined && operator.current !== undefined && name !== operator.current) location.reload();
    operator.current = name ?? operator.current;
  }, [name]);
  useEffect(() => {
    const take = ({ data }: MessageEvent<string | null>) => {
      if (data === operator.current) void client.invalidateQueries();
      else if (data !== null || operator.current !== undefined) location.reload();
    };
    otherWindows.addEventListener("message", take);
    return () => otherWindows.removeEventListener("message", take);
  }, [client]);
}

let lastScope: Session["scope"] | undefined;

/** The scope of the operator. It outlives the session, so that no dialog closes while the operator signs in again. */
function useScope(): Session["scope"] | undefined {
  lastScope = useSession()?.scope ?? lastScope;
  return lastScope;
}

/** Whether the operator may change features. Controls that would be refused are not shown. */
export const useIsEditor = (): boolean => {
  const scope = useScope();
  return scope === "editor" || scope === "admin";
};

/** Whether the operator may manage tokens. */
export const useIsAdmin = (): boolean => useScope() === "admin";

/** Signs in and out; the session cookie is invisible to scripts. */
export function useSignIn(): {
  readonly signIn: (proof: { readonly credential: string } | { readonly link: string }) => Promise<void>;
  readonly signOut: () => Promise<void>;
} {
  const client = useQueryClient();
  return {
    signIn: async (proof) => {
      const session = await bodyOf(route.$post({ json: proof }));
      tellOthers(session);
      client.setQueryData(sessionKey, session);
      await client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== sessionKey[0] });
    },
    signOut: async () => {
      await route.$delete();
      tellOthers(null);
      // Nothing that was read stays in memory.
      location.reload();
    },
  };
}

let isLinkRefused = false;

/** Whether the page was opened by a link that was used before, or has expired. */
export const wasLinkRefused = (): boolean => isLinkRefused;

/** The secret of a sign-in link, which is in the fragment and so in no log. Removes it from the address. */
function takeLink(): string | undefined {
  const link = new URLSearchParams(location.hash.slice(1)).get("link");
  if (link === null) return undefined;
  history.replaceState(null, "", location.pathname + location.search);
  return link;
}

async function readSession(): Promise<Session | null> {
  const link = takeLink();
  try {
    if (link !== undefined) {
      const session = await bodyOf(route.$post({ json: { link } }));
      tellOthers(session);
      return session;
    }
  } catch (error) {
    if (!hasStatus(error, 401)) throw error;
    isLinkRefused = true;
  }
  try {
    return await get();
  } catch (error) {
    if (hasStatus(error, 401)) return null;
    throw error;
  }
}
