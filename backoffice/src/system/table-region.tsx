import "./table-region.css";
import type { ReactNode } from "react";

/** A table that scrolls sideways in its own region, by keyboard too. */
export const TableRegion = ({ label, children }: { readonly label: string; readonly children: ReactNode }) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
  <section className="scroll-sideways" tabIndex={0} aria-label={label}>
    <table className="data-table">{children}</table>
  </section>
);
