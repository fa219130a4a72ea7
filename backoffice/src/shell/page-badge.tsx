import { useQuery } from "@tanstack/react-query";
import { featureCount } from "../features/feature-list.ts";
import { count } from "../ui/numbers.ts";

/** What the navigation tells of a page: the number of features. */
export function PageBadge({ page }: { readonly page: string }) {
  const { data } = useQuery({ ...featureCount, enabled: page === "features" });
  if (page !== "features" || data === undefined) return null;
  return <span className="sidebar-badge">{count(data)}</span>;
}
