import { Activity, Flag, type LucideIcon, Server, Users } from "lucide-react";
import type { ComponentType, ReactNode } from "react";
import { FeaturesPage } from "../features/features-page.tsx";
import { Link } from "../routing/link.tsx";
import { idOf, links, personOf } from "../routing/links.ts";
import type { Location } from "../routing/location.ts";
import { onDemand } from "../ui/on-demand.ts";

/** A page of the shell; `first` is the first segment of its path. */
type Page = { readonly first: string; readonly name: string; readonly Icon: LucideIcon; readonly link: () => string };

export const pages: readonly Page[] = [
  { first: "features", name: "Features", Icon: Flag, link: links.features },
  { first: "people", name: "People", Icon: Users, link: links.people },
  { first: "events", name: "Events", Icon: Activity, link: links.events },
  { first: "system", name: "System", Icon: Server, link: links.system },
];

const FeaturePage = onDemand(() => import("../feature/feature-page.tsx"));
const PeoplePage = onDemand(() => import("../people/people-page.tsx"));
const PersonPage = onDemand(() => import("../people/person-page.tsx"));
const EventPage = onDemand(() => import("../events/event-page.tsx"));
const EventsPage = onDemand(() => import("../events/events-page.tsx"));
const SystemPage = onDemand(() => import("../system/system-page.tsx"));

/** A page about one feature, person or event has its key or id. */
type DetailPage = (segment: string) => ReactNode;
const details: Readonly<Record<string, DetailPage>> = {
  features: (segment) => <FeaturePage id={idOf(segment)} key={segment} />,
  people: (segment) => <PersonPage id={personOf(segment)} key={segment} />,
  events: (segment) => <EventPage id={segment} key={segment} />,
};
const lists: Readonly<Record<string, ComponentType>> = {
  features: FeaturesPage,
  people: PeoplePage,
  events: EventsPage,
  system: SystemPage,
};

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
export function PageAt({ segments: [first = "features", id] }: { readonly segments: Location["segments"] }) {
  const detail = details[first];
  if (id !== undefined && detail) return detail(id);
  const List = lists[first];
  return List ? <List /> : <NoPage />;
}
