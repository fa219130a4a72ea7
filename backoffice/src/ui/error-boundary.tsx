import { Component, type ReactNode } from "react";
import { Button } from "./button.tsx";
import { EmptyState } from "./empty-state.tsx";

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
      <div className="page">
        <EmptyState title="This page failed" action={<Button onClick={() => location.reload()}>Reload</Button>}>
          {error.message}
        </EmptyState>
      </div>
    );
  }
}
