import { CircleDot, KeyRound } from "lucide-react";
import { StateIcon } from "../ui/feature-state.tsx";
import type { EventShape } from "./event-view.ts";

/** The shape beside an event. */
export function ShapeIcon({ shape }: { readonly shape: EventShape }) {
  if (shape === "token") return <KeyRound size={16} className="dim" aria-hidden />;
  if (shape === "event") return <CircleDot size={16} className="dim" aria-hidden />;
  return (
    <span className="event-row-shape">
      <StateIcon state={shape} size={16} />
    </span>
  );
}
