import { RefreshCw } from "lucide-react";
import { useEffect, useState } from "react";
import { type Connection, useConnection } from "../live/connection.ts";
import { connectNow } from "../live/shared-stream.ts";
import { Button } from "../ui/button.tsx";
import { clock } from "../ui/time.tsx";

/** Time that a connection may be lost before the page says so, in milliseconds. */
const graceMs = 2_000;

/** Says that the connection is lost, since when, and when the page tries again. */
export function ConnectionBar() {
  const connection = useConnection();
  return connection.is === "lost" ? <Lost {...connection} key={connection.since.getTime()} /> : null;
}

function Lost({ since, nextTry }: Extract<Connection, { readonly is: "lost" }>) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, []);
  if (now - since.getTime() < graceMs) return null;
  const seconds = Math.max(0, Math.ceil((nextTry.getTime() - now) / 1_000));
  return (
    <div className="connection-bar">
      <RefreshCw size={15} className="spinning" aria-hidden />
      <p className="grow">
        {/* Only the fact is announced: the seconds would be read out again and again. */}
        <b role="alert">Tidegate is restarting or out of reach.</b>{" "}
        <span>
          You see the state of {clock(since)}. Changes are paused.{" "}
          <span className="num">{seconds > 0 ? `Next try in ${seconds} s.` : "Trying now."}</span>
        </span>
      </p>
      <Button isCompact onClick={connectNow}>
        Try now
      </Button>
    </div>
  );
}
