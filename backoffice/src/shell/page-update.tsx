import { useQueryClient } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { useEffect, useState } from "react";
import { useConnection } from "../live/connection.ts";
import { pagePath } from "../routing/location.ts";
import { Button } from "../ui/button.tsx";
import { loadRest } from "../ui/on-demand.tsx";

/** How often the page checks whether it has finished reading, in milliseconds. */
const checkMs = 500;

/**
 * After each connection, once nothing is being read: loads the rest of the page, so that it works while the service is
 * away, and offers to reload it if the service was updated.
 */
export function PageUpdate() {
  const client = useQueryClient();
  const isLive = useConnection().is === "live";
  const [isOutdated, setOutdated] = useState(false);
  useEffect(() => {
    if (!isLive) return;
    const timer = setInterval(() => {
      if (client.isFetching() > 0) return;
      clearInterval(timer);
      void loadRest();
      void readIsOutdated().then(setOutdated);
    }, checkMs);
    return () => clearInterval(timer);
  }, [client, isLive]);
  if (!isOutdated) return null;
  return (
    <div className="connection-bar" role="status">
      <Download size={15} aria-hidden />
      <p className="grow">
        <b>Tidegate was updated.</b> Reload to get the page of the new version.
      </p>
      <Button isCompact onClick={() => location.reload()}>
        Reload
      </Button>
    </div>
  );
}

const scriptIn = (html: string): string | undefined => /<script[^>]* src="[^"]*\/(assets\/[^"]+)"/.exec(html)?.[1];

/** Whether the service has another version of the page than this one. `false` if that is not known. */
async function readIsOutdated(): Promise<boolean> {
  const response = await fetch(pagePath, { cache: "no-cache" }).catch(() => undefined);
  const present = response?.ok && scriptIn(await response.text());
  return Boolean(present) && present !== scriptIn(document.documentElement.outerHTML);
}
