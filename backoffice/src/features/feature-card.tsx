import { EveryoneCell, KeyCell, SelectCell, StateCell, WhereCell } from "./feature-cells.tsx";
import type { Feature } from "./feature-list.ts";

/** A feature in a narrow window. */
export const FeatureCard = ({ feature, isSelecting }: { readonly feature: Feature; readonly isSelecting: boolean }) => (
  // biome-ignore lint/a11y/useSemanticElements: rows are positioned, which a table does not allow
  <div role="cell" className="feature-card">
    <div className="feature-card-head">
      {isSelecting && <SelectCell feature={feature} />}
      <div className="grow">
        <KeyCell feature={feature} />
      </div>
      <EveryoneCell feature={feature} isLarge />
    </div>
    <div className="row feature-card-state">
      <StateCell feature={feature} />
      <WhereCell feature={feature} />
    </div>
  </div>
);
