import "./person-page.css";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { KeyRound, UserRound } from "lucide-react";
import { useEffect, useState } from "react";
import { Link } from "../routing/link.tsx";
import { links, personOf } from "../routing/links.ts";
import { useLocation } from "../routing/location.ts";
import { Button } from "../ui/button.tsx";
import { count, counted } from "../ui/numbers.ts";
import { Shortened } from "../ui/shortened.tsx";
import { CompareView } from "./compare-view.tsx";
import { LookUpForm } from "./look-up-form.tsx";
import { ModeBar, modeIn } from "./mode-bar.tsx";
import { contextIn, otherContextIn } from "./person-context.ts";
import { featuresFor, userOf } from "./person-queries.ts";
import { PersonView } from "./person-view.tsx";
import { rememberPerson } from "./recent-people.ts";
import { TokensDrawer } from "./tokens-drawer.tsx";
import { UnknownUser } from "./unknown-user.tsx";

/** The page of a person: what their app gets, why, at which moment, and compared. */
export default function PersonPage({ segment }: { readonly segment: string }) {
  const id = personOf(segment);
  const { query } = useLocation();
  const context = contextIn(id, query);
  const mode = modeIn(query);
  const { data: user } = useQuery({ ...userOf(id ?? ""), enabled: id !== undefined });
  const counts = useInfiniteQuery(featuresFor(context, "on", "")).data?.pages[0]?.counts;
  const [showsTokens, setShowsTokens] = useState(false);
  const users = new Set([id, ...(mode === "compare" ? [otherContextIn(context, query).user] : [])]);
  const name = id ?? "A caller without a token";

  useEffect(() => {
    if (id !== undefined) rememberPerson(id);
  }, [id]);
  return (
    <div className="page">
      <nav className="crumbs" aria-label="Breadcrumb">
        <Link href={links.people()}>People</Link>
        <span aria-hidden="true">/</span>
        <span className="ellipsis">{name}</span>
      </nav>
      <div className="page-head wrap person-head">
        <span className="person-avatar" aria-hidden="true">
          <UserRound size={20} />
        </span>
        <div className="grow">
          <h1>
            <Shortened text={name} />
          </h1>
          <p className="row small dim">
            {counts && `${count(counts.on)} of ${counted(counts.on + counts.off + counts.undetermined, "feature")} on`}
            {counts && counts.undetermined > 0 && `, ${counts.undetermined} unknown`}
            {user && (
              <span className="row person-tokens">
                <KeyRound size={13} aria-hidden />
                {counted(user.tokens.length, "token")}
              </span>
            )}
          </p>
        </div>
        <span className="wide-only">
          <LookUpForm label="Another user id or token" isCompact />
        </span>
        {id !== undefined && (
          <Button aria-label="Tokens" onClick={() => setShowsTokens(true)}>
            <KeyRound size={15} aria-hidden />
            <span className="wide-only">Tokens</span>
          </Button>
        )}
      </div>
      <ModeBar mode={mode} context={context} />
      <div className="person-banners">
        {[...users].map((user) => user !== undefined && <UnknownUser key={user} id={user} />)}
      </div>
      {mode === "compare" ? (
        <CompareView one={context} other={otherContextIn(context, query)} />
      ) : (
        <PersonView context={context} />
      )}
      {showsTokens && id !== undefined && <TokensDrawer userId={id} onClose={() => setShowsTokens(false)} />}
    </div>
  );
}
