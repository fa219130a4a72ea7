import "./empty-state.css";
import type { ReactNode } from "react";

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
    <div className="empty-state-title">{title}</div>
    <div className="dim small">{children}</div>
    {action}
  </div>
);
