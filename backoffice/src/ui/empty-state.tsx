import "./empty-state.css";
import type { ReactNode } from "react";
import { Shortened } from "./shortened.tsx";

/** What a list says if it is empty, and what to do about it. */
export const EmptyState = ({
  title,
  children,
  action,
}: {
  readonly title: string;
  readonly children?: ReactNode;
  readonly action?: ReactNode;
}) => (
  <div className="empty-state">
    <div className="empty-state-title">
      <Shortened text={title} max={200} />
    </div>
    <div className="dim small">{children}</div>
    {action}
  </div>
);
