import { useQuery } from "@tanstack/react-query";
import { featureCount } from "../features/feature-list.ts";
import { systemQuery } from "../system/system-queries.ts";
import { verdictOn } from "../system/verdict.ts";
import { Dot } from "../ui/card.tsx";
import { count } from "../ui/numbers.ts";

/** Interval at which faults are looked for while other pages are shown, in milliseconds. */
const faultPollMs = 30_000;

/** What the navigation tells of a page: the number of features, or the faults of the system. */
export function PageBadge({ page }: { readonly page: string }) {
  if (page === "features") return <FeatureCount />;
  return page === "system" ? <Faults /> : null;
}

function FeatureCount() {
  const { data } = useQuery(featureCount);
  return data === undefined ? null : <span className="sidebar-badge">{count(data)}</span>;
}

function Faults() {
  const { data } = useQuery({ ...systemQuery, refetchInterval: faultPollMs, select: verdictOn });
  if (data?.badge === undefined) return null;
  return (
    <span className="sidebar-badge">
      <Dot tone={data.tone} />
      {data.badge}
    </span>
  );
}
