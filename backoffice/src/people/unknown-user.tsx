import { useQuery } from "@tanstack/react-query";
import { Banner } from "../ui/banner.tsx";
import { usersWith } from "./look-up.ts";
import { userOf } from "./person-queries.ts";

/** Says that nothing is stored for a user id, which may be mistyped; nothing if the stores did not answer. */
export function UnknownUser({ id }: { readonly id: string }) {
  const { data: user } = useQuery(userOf(id));
  const isBare = user?.tokens.length === 0 && user.sets.every(isUnwritten);
  // Sets that depend on a location too are not among those of the user.
  const search = useQuery({ ...usersWith(id), enabled: isBare });
  if (!isBare || !search.data || search.data.some(({ userId }) => userId === id)) return null;
  return (
    <Banner tone="info" title={`No set was found for ${id}, and Tidegate issued no token for it.`}>
      You see what a new user with this id would get.
    </Banner>
  );
}

/** Whether a set is empty and always was, as far as is recorded. */
const isUnwritten = ({
  features,
  invalidMembers,
  revision,
}: {
  readonly features: readonly string[];
  readonly invalidMembers: number;
  readonly revision: string;
}): boolean => features.length === 0 && invalidMembers === 0 && revision === "none.0";
