import "./details-card.css";
import { useQuery } from "@tanstack/react-query";
import { Pencil } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useIsEditor } from "../api/session.ts";
import type { Feature } from "../features/feature-list.ts";
import { lastUseOf } from "../features/last-use.ts";
import { authorName } from "../ui/author-name.ts";
import { Button } from "../ui/button.tsx";
import { Card, Tag } from "../ui/card.tsx";
import { counted } from "../ui/numbers.ts";
import { Ago, day, useNow } from "../ui/time.tsx";
import { DescriptionDialog } from "./description-dialog.tsx";
import { usageQuery } from "./usage-query.ts";

const dayMs = 86_400_000;
/** Days without an evaluation after which a feature counts as unused. */
const unusedDays = 30;

/** What people wrote about a feature, and when it was used last. */
export function DetailsCard({ feature: known }: { readonly feature: Feature }) {
  const { feature, catalogue, lastChange } = known;
  const isEditor = useIsEditor();
  const [isEditing, setEditing] = useState(false);
  return (
    <Card
      title="Details"
      actions={
        isEditor && (
          <Button isCompact isChange onClick={() => setEditing(true)}>
            <Pencil size={14} aria-hidden />
            Edit details
          </Button>
        )
      }
    >
      <dl className="details">
        <Entry name="Owner">{catalogue?.owner || <span className="dim">none</span>}</Entry>
        <Entry name="Tags">
          <span className="row wrap details-tags">
            {catalogue?.tags.length ? (
              catalogue.tags.map((tag) => <Tag key={tag}>{tag}</Tag>)
            ) : (
              <span className="dim">none</span>
            )}
          </span>
        </Entry>
        {catalogue && <Entry name="Described">{day(new Date(catalogue.created))}</Entry>}
        {lastChange && (
          <Entry name="Changed">
            <Ago at={lastChange.at} /> by {authorName(lastChange.by)}
          </Entry>
        )}
        <Use
          feature={known}
          archive={
            isEditor &&
            !catalogue?.archived && (
              <Button isCompact isChange onClick={() => setEditing(true)}>
                Archive…
              </Button>
            )
          }
        />
      </dl>
      {catalogue?.archived && <p className="small dim">Archived. Its state is unchanged by that.</p>}
      {isEditing && <DescriptionDialog feature={feature} onClose={() => setEditing(false)} />}
    </Card>
  );
}

function Use({ feature, archive }: { readonly feature: Feature; readonly archive: ReactNode }) {
  const { data } = useQuery(usageQuery(feature.feature));
  const now = useNow();
  if (!data) return null;
  const { total } = data;
  const last = lastUseOf(feature, data.lastUsed, data.countedSince);
  const days = last ? Math.floor((now - last.at) / dayMs) : 0;
  const off = total.on === 0 && total.off > 0 && `off ${counted(total.off, "time")} in the last 24 hours`;
  return (
    <>
      <Entry name="Evaluated">
        {last?.is === "used" ? (
          <>
            {off && "as on "}
            <Ago at={new Date(last.at)} />
            {off && `; ${off}`}
          </>
        ) : off ? (
          `never as on; ${off}`
        ) : last?.is === "new" ? (
          <>
            created <Ago at={new Date(last.at)} />; not evaluated yet
          </>
        ) : last ? (
          `not since ${day(new Date(last.at))}, when counting began`
        ) : (
          "not counted yet"
        )}
      </Entry>
      {days >= unusedDays && (
        <p className="small details-unused">
          Not evaluated {off && "as on "}for {days} days. Check the code, then archive it. {archive}
        </p>
      )}
    </>
  );
}

const Entry = ({ name, children }: { readonly name: string; readonly children: ReactNode }) => (
  <div>
    <dt className="dim">{name}</dt>
    <dd>{children}</dd>
  </div>
);
