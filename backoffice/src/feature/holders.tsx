import "./holders.css";
import { useInfiniteQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import { useState } from "react";
import { bodyOf, v1 } from "../api/client.ts";
import { pathSegment } from "../api/path-segment.ts";
import { useIsEditor } from "../api/session.ts";
import { useSourcesByName } from "../api/sources.ts";
import { useFeatureChanges } from "../features/changes.ts";
import { Link } from "../routing/link.tsx";
import { links } from "../routing/links.ts";
import { Button, IconButton } from "../ui/button.tsx";
import { Card } from "../ui/card.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { counted } from "../ui/numbers.ts";
import { SkeletonRows } from "../ui/skeleton.tsx";

const limit = "100";

async function readPage(feature: string, of: "users" | "locations", cursor: string) {
  const request = { param: { feature: pathSegment(feature) }, query: { limit, ...(cursor && { cursor }) } };
  const route = v1.features[":feature"];
  if (of === "users") {
    const { users, ...page } = await bodyOf(route.users.$get(request));
    return { ...page, values: users };
  }
  const { locations, ...page } = await bodyOf(route.locations.$get(request));
  return { ...page, values: locations };
}

/** The users or locations that have a feature in a set of their own, page by page. Editors add and remove them. */
export function Holders({ feature, of }: { readonly feature: string; readonly of: "users" | "locations" }) {
  const { data, error, isPending, hasNextPage, fetchNextPage, isFetchingNextPage, refetch } = useInfiniteQuery({
    queryKey: ["feature", feature, of],
    queryFn: ({ pageParam }) => readPage(feature, of, pageParam),
    initialPageParam: "",
    getNextPageParam: ({ next }) => next,
  });
  const isEditor = useIsEditor();
  const sources = useSourcesByName();
  const { switchHolder } = useFeatureChanges();
  const [text, setText] = useState("");
  const [failure, setFailure] = useState<unknown>();
  if (error) return <ErrorNote error={error} onRetry={() => void refetch()} />;
  if (isPending) return <SkeletonRows count={6} />;
  const values = [...new Set(data.pages.flatMap((page) => page.values))];
  const [first] = data.pages;
  const noun = of === "users" ? "user" : "location";
  const source = sources.get(first?.source ?? "");
  const isChangeable = isEditor && source?.changeable === true && source.fields.length === 1;
  const change = async (value: string, isOn: boolean) => {
    setFailure(undefined);
    const holder = of === "users" ? { userId: value } : { location: value };
    try {
      await switchHolder(source?.name ?? "", feature, isOn, holder);
      if (isOn) setText("");
    } catch (reason) {
      setFailure(reason);
    }
  };
  return (
    <Card
      title={
        <>
          {first?.total == null ? (of === "users" ? "Users" : "Locations") : counted(first.total, noun)}{" "}
          <span className="dim">· source {first?.source}</span>
        </>
      }
      isPadded={false}
    >
      {isChangeable && (
        <form
          className="row card-body"
          onSubmit={(event) => {
            event.preventDefault();
            void change(text.trim(), true);
          }}
        >
          <input
            className="input holders-new"
            aria-label={`Add a ${noun}`}
            placeholder={of === "users" ? "User id" : "Location"}
            autoComplete="off"
            spellCheck={false}
            value={text}
            onChange={({ currentTarget }) => setText(currentTarget.value)}
          />
          <Button type="submit" isChange disabled={text.trim() === ""}>
            Add
          </Button>
        </form>
      )}
      {failure !== undefined && (
        <div className="card-body">
          <ErrorNote error={failure} />
        </div>
      )}
      {values.length === 0 && !hasNextPage && <EmptyState title={`No ${noun} has it.`} />}
      <ul className="holders">
        {values.map((value) => (
          <li key={value}>
            <Link
              className="grow"
              href={
                of === "users"
                  ? links.person(value, { f: feature })
                  : links.person(undefined, { f: feature, location: value })
              }
            >
              {value}
            </Link>
            {isChangeable && (
              <IconButton label={`Remove ${value}`} isChange onClick={() => void change(value, false)}>
                <X size={15} aria-hidden />
              </IconButton>
            )}
          </li>
        ))}
      </ul>
      {hasNextPage && (
        <div className="card-body">
          <Button disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            {isFetchingNextPage ? "Loading…" : "Show more"}
          </Button>
        </div>
      )}
    </Card>
  );
}
