import { Activity, Flag, type LucideIcon, Server, Users } from "lucide-react";
import type { FunctionComponent } from "react";
import { FeaturesPage } from "../features/features-page.tsx";
import { Link } from "../routing/link.tsx";
import { idOf, links, personOf } from "../routing/links.ts";
import type { Location } from "../routing/location.ts";
import { type OnDemand, onDemand } from "../ui/on-demand.tsx";
import { Skeleton, SkeletonRows } from "../ui/skeleton.tsx";

/** A page of the shell; `first` is the first segment of its path. */
type Page = { readonly first: string; readonly name: string; readonly Icon: LucideIcon; readonly link: () => string };

export const pages: readonly Page[] = [
  { first: "features", name: "Features", Icon: Flag, link: links.features },
  { first: "people", name: "People", Icon: Users, link: links.people },
  { first: "events", name: "Events", Icon: Activity, link: links.events },
  { first: "system", name: "System", Icon: Server, link: links.system },
];

/** In the place of a page whose script is loading. */
const LoadingPage = () => (
  <div className="page">
    <div className="page-head">
      <Skeleton width={160} height={26} />
    </div>
    <SkeletonRows count={8} />
  </div>
);

const FeaturePage = onDemand(() => import("../feature/feature-page.tsx"), LoadingPage);
const PeoplePage = onDemand(() => import("../people/people-page.tsx"), LoadingPage);
const PersonPage = onDemand(() => import("../people/person-page.tsx"), LoadingPage);
const EventPage = onDemand(() => import("../events/event-page.tsx"), LoadingPage);
const EventsPage = onDemand(() => import("../events/events-page.tsx"), LoadingPage);
const SystemPage = onDemand(() => import("../system/system-page.tsx"), LoadingPage);

/** Pages about one feature, person or event are given its segment of the path. */
type PageProps = { readonly segment: string };
type PagesByFirstSegment = ReadonlyMap<
  string,
  FunctionComponent<PageProps> & Partial<Pick<OnDemand<PageProps>, "load">>
>;
const details: PagesByFirstSegment = new Map([
  ["features", FeaturePage],
  ["people", PersonPage],
  ["events", EventPage],
]);
const lists: PagesByFirstSegment = new Map<string, FunctionComponent>([
  ["features", FeaturesPage],
  ["people", PeoplePage],
  ["events", EventsPage],
  ["system", SystemPage],
]);

function pageAt([first = "features", segment]: Location["segments"]) {
  if (segment === undefined) return lists.get(first);
  return idOf(segment) === "" ? undefined : details.get(first);
}

/** The title of the page of a location; `undefined` if there is none. */
export function titleAt(segments: Location["segments"]): string | undefined {
  const [first = "features", segment] = segments;
  if (!pageAt(segments)) return undefined;
  if (segment === undefined) return pages.find((page) => page.first === first)?.name;
  return personOf(segment) ?? "A caller without a token";
}

/** A link that leads nowhere. */
const NoPage = () => (
  <div className="page">
    <h1>Nothing is here</h1>
    <p className="dim">
      The link leads to no page.{" "}
      <Link className="link" href={links.features()}>
        Show the features
      </Link>
    </p>
  </div>
);

/** The page of a location. */
export function PageAt({ segments }: Pick<Location, "segments">) {
  const Page = pageAt(segments) ?? NoPage;
  const [, segment = ""] = segments;
  return <Page key={segment} segment={segment} />;
}

/** Loads the script of a page before there is a session to show it. If that fails, the page loads it again. */
export function loadPageAt({ segments }: Location): void {
  pageAt(segments)
    ?.load?.()
    .catch(() => undefined);
}
