import "./kill-dialog.css";
import { useQuery } from "@tanstack/react-query";
import { Globe, MapPin, Percent, Power, UserRound, Zap } from "lucide-react";
import { type ReactNode, useState } from "react";
import { killSwitchOf, useSources } from "../api/sources.ts";
import { useIsPaused } from "../live/connection.ts";
import { Button } from "../ui/button.tsx";
import { Dialog, DialogButtons } from "../ui/dialog.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { Field } from "../ui/field.tsx";
import { count } from "../ui/numbers.ts";
import { durationText } from "../ui/time.tsx";
import { type Audience, evaluatedText, largestShare, lossText } from "./audience.ts";
import { useFeatureChanges } from "./changes.ts";
import { featureQuery, type ViewedFeature } from "./feature-list.ts";
import { useImpact } from "./impact.ts";

/**
 * Asks before a kill, with what it takes away. The numbers load while it is open and never block the button. Enter does
 * not kill; Ctrl Enter does.
 */
export default function KillDialog({
  feature: key,
  onClose,
}: {
  readonly feature: string;
  readonly onClose: () => void;
}) {
  const sources = useSources();
  const killSwitch = sources && killSwitchOf(sources);
  const { data: feature } = useQuery(featureQuery(key));
  const { killFeature } = useFeatureChanges();
  const [note, setNote] = useState("");
  const [error, setError] = useState<unknown>();
  const isPaused = useIsPaused();
  const [isBusy, setBusy] = useState(false);
  const { impact, error: unread } = useImpact(key, { change: "kill" }, isBusy);
  const kill = () => {
    if (isBusy || isPaused) return;
    setBusy(true);
    setError(undefined);
    killFeature(key, note.trim()).then(onClose, (reason: unknown) => {
      setError(reason);
      setBusy(false);
    });
  };
  if (feature?.killed && !isBusy) {
    return (
      <Dialog title={`${key} is killed`} onClose={onClose}>
        <p role="status">
          <b>{killedText(feature, killSwitch?.name)}</b> It is off for everyone.
        </p>
        {error !== undefined && <ErrorNote error={error} />}
        <DialogButtons>
          <Button data-autofocus onClick={onClose}>
            Close
          </Button>
        </DialogButtons>
      </Dialog>
    );
  }
  return (
    <Dialog title={`Kill ${key}?`} onClose={onClose}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: a shortcut for the whole dialog */}
      <div
        className="kill-dialog"
        onKeyDown={(event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && kill()}
      >
        <p className="kill-dialog-effect">
          <b>
            Off for everyone.{" "}
            {impact ? lossText(impact.loses) : unread ? "What it takes away is not known." : "Counting…"}
          </b>{" "}
          Undo restores exactly what was on.
        </p>
        <Figures loses={impact?.loses} />
        <p className="kill-dialog-detail">
          <Zap size={16} aria-hidden />
          <span>
            {evaluatedText(impact?.evaluationsLastHour)} The kill reaches every instance within milliseconds. The page
            then waits for their confirmation, for 1 s at most.{" "}
            {killSwitch?.key && (
              <>
                It adds one entry to <span className="mono">{killSwitch.key}</span> and changes no other source.
              </>
            )}
          </span>
        </p>
        <Field
          label="Reason"
          hint="(optional, shown in the event log)"
          placeholder="For example: payment errors in ES, incident 2481"
          maxLength={500}
          data-autofocus
          value={note}
          onChange={(event) => setNote(event.target.value)}
        />
        {error !== undefined && <ErrorNote error={error} />}
        <DialogButtons
          hint={
            <span className="wide-only">
              <kbd>Ctrl Enter</kbd> kills, <kbd>Esc</kbd> cancels
            </span>
          }
        >
          <Button onClick={onClose}>Cancel</Button>
          <Button look="danger" isChange onClick={kill} disabled={isBusy}>
            <Power size={15} aria-hidden />
            {isBusy ? "Waiting for confirmation…" : "Kill for everyone"}
          </Button>
        </DialogButtons>
      </div>
    </Dialog>
  );
}

/** Who killed a feature, and when. */
function killedText({ sources }: ViewedFeature, killSwitch: string | undefined): string {
  const last = sources.find(({ source }) => source === killSwitch)?.lastChange;
  if (!last) return "Killed already.";
  const by = last.by === "external" ? "somebody" : last.by;
  return `Killed already by ${by}, ${durationText(Date.now() - Date.parse(last.at))} ago.`;
}

function Figures({ loses }: { readonly loses: Audience | undefined }) {
  const number = (value: number | null | undefined) =>
    value === undefined ? "…" : value === null ? "?" : count(value);
  const share = loses && (loses.everyone ? 100 : largestShare(loses));
  return (
    <dl className="kill-dialog-figures">
      <Figure icon={<UserRound size={13} aria-hidden />} name="Users by name" value={number(loses?.users)}>
        {loses?.users === 0 ? "none" : "from their own sets"}
      </Figure>
      <Figure icon={<MapPin size={13} aria-hidden />} name="Locations" value={number(loses?.locations.length)}>
        {loses?.locations.join(", ") || "none"}
      </Figure>
      <Figure
        icon={loses?.everyone ? <Globe size={13} aria-hidden /> : <Percent size={12} aria-hidden />}
        name={loses?.everyone ? "Everyone" : "Share of all callers"}
        value={share === undefined ? "…" : `${share} %`}
      >
        {loses?.everyone ? "every caller" : loses?.shares.map(({ source }) => `source ${source}`).join(", ") || "none"}
      </Figure>
    </dl>
  );
}

const Figure = ({
  icon,
  name,
  value,
  children,
}: {
  readonly icon: ReactNode;
  readonly name: string;
  readonly value: string;
  readonly children: ReactNode;
}) => (
  <div>
    <dt>
      {icon}
      {name}
    </dt>
    <dd>
      <b>{value}</b>
      <span className="ellipsis">{children}</span>
    </dd>
  </div>
);
