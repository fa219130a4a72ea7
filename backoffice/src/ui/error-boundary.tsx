import { Component, type ReactNode, useState } from "react";
import { pagePath } from "../routing/location.ts";
import { Button } from "./button.tsx";
import { EmptyState } from "./empty-state.tsx";
import { NotLoaded } from "./on-demand.tsx";

/** Shows a failure of one page in its place, so that the rest stays usable. Give it the path as `key`. */
export class ErrorBoundary extends Component<{ readonly children: ReactNode }, { readonly error?: Error }> {
  override readonly state: { readonly error?: Error } = {};

  static getDerivedStateFromError(error: Error): { readonly error: Error } {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <div className="page" role="alert">
        {error instanceof NotLoaded ? (
          <MissingPart />
        ) : (
          <EmptyState title="This page failed" action={<Button onClick={() => location.reload()}>Reload</Button>}>
            {error.message}
          </EmptyState>
        )}
      </div>
    );
  }
}

/** A part of the page that did not arrive. Retry loads the page anew, as soon as the service answers. */
function MissingPart() {
  const [attempts, setAttempts] = useState(0);
  const retry = async () => {
    const response = await fetch(pagePath, { cache: "no-cache" }).catch(() => undefined);
    if (response?.ok) location.reload();
    else setAttempts(attempts + 1);
  };
  return (
    <EmptyState title="This part of the page is not loaded yet" action={<Button onClick={retry}>Retry</Button>}>
      {attempts === 0
        ? "Tidegate did not send it: it is restarting, out of reach, or was updated."
        : `Tidegate is still out of reach, after ${attempts === 1 ? "1 attempt" : `${attempts} attempts`}. Retry in a moment.`}
    </EmptyState>
  );
}
