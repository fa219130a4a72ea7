import { Clock } from "lucide-react";
import { useEffect, useState } from "react";
import { durationText } from "../ui/time.tsx";

/** Polls that were missed before the age stands out, in milliseconds. */
const lateMs = 15_000;

/** How old the shown state is. */
export function Refreshed({ at }: { readonly at: number }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  const age = Math.max(0, now - at);
  return (
    <span className={`tiny row num ${age > lateMs ? "state-text-unknown" : "dim"}`}>
      <Clock size={13} aria-hidden />
      refreshed {age < 1_000 ? "now" : `${durationText(age)} ago`}
    </span>
  );
}
