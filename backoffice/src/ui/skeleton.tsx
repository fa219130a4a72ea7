import "./skeleton.css";

/** A grey bar in the place of a text that is loading. */
export const Skeleton = ({ width, height = 12 }: { readonly width: number | string; readonly height?: number }) => (
  <span className="skeleton" style={{ width, height }} aria-hidden="true" />
);

/** Rows of a list that is loading. */
export const SkeletonRows = ({ count }: { readonly count: number }) => (
  <div role="status" aria-label="Loading">
    {Array.from({ length: count }, (_, index) => (
      <div className="skeleton-row" key={index}>
        <Skeleton width={120 + ((index * 37) % 90)} />
        <Skeleton width={170 + ((index * 53) % 70)} height={9} />
      </div>
    ))}
  </div>
);
