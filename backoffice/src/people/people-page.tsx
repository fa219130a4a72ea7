import "./people-page.css";
import { ChevronRight, UserRound, UserRoundX } from "lucide-react";
import { Link } from "../routing/link.tsx";
import { links } from "../routing/links.ts";
import { Card } from "../ui/card.tsx";
import { Ago } from "../ui/time.tsx";
import { LookUpForm } from "./look-up-form.tsx";
import { recentPeople } from "./recent-people.ts";

/** The page People: find the person whose features are in question. */
export default function PeoplePage() {
  const recent = recentPeople();
  return (
    <div className="page">
      <div className="people">
        <h1>People</h1>
        <p className="dim">See what one user’s app gets, and why. Tidegate keeps no list of users; any id works.</p>
        <LookUpForm label="User id, or paste a token" />
        {recent.length > 0 && (
          <Card
            title={
              <>
                Looked up recently <span className="tiny dim people-where">in this browser</span>
              </>
            }
            isPadded={false}
          >
            <ul className="people-recent">
              {recent.map(({ id, at }) => (
                <li key={id}>
                  <Link href={links.person(id)}>
                    <UserRound size={16} className="dim" aria-hidden />
                    <span className="grow ellipsis strong">{id}</span>
                    <span className="tiny dim">
                      <Ago at={at} />
                    </span>
                    <ChevronRight size={16} className="dim" aria-hidden />
                  </Link>
                </li>
              ))}
            </ul>
          </Card>
        )}
        <Card title="Without a token" isPadded={false}>
          <ul className="people-recent">
            <li>
              <Link href={links.person(undefined)}>
                <UserRoundX size={16} className="dim" aria-hidden />
                <span className="grow strong">A caller without a token</span>
                <ChevronRight size={16} className="dim" aria-hidden />
              </Link>
            </li>
          </ul>
        </Card>
      </div>
    </div>
  );
}
