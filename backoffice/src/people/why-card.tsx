import { useQuery } from "@tanstack/react-query";
import { Link } from "../routing/link.tsx";
import { links } from "../routing/links.ts";
import { Card } from "../ui/card.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { SkeletonRows } from "../ui/skeleton.tsx";
import type { PersonContext } from "./person-context.ts";
import { explanationOf } from "./person-queries.ts";
import { stateWord } from "./why.ts";
import { WhyChain } from "./why-chain.tsx";

/** Why a feature is on or off for a context. */
export function WhyCard({ context, feature: key }: { readonly context: PersonContext; readonly feature: string }) {
  const { data, error, refetch } = useQuery(explanationOf(context, key));
  if (error) return <ErrorNote error={error} onRetry={() => void refetch()} />;
  const feature = data?.features[0];
  if (!data || !feature) return <SkeletonRows count={4} />;
  return (
    <Card
      title={`Why ${key} ${data.state === "history" ? "was" : "is"} ${stateWord(feature.on)}`}
      actions={
        <Link className="link small" href={links.feature(key)}>
          Open feature
        </Link>
      }
    >
      <WhyChain context={context} explanation={data} feature={feature} />
    </Card>
  );
}
