/** A small line chart without axes. Its numbers are in the text beside it. */
export function Sparkline({ values, width = 56, height = 22 }: SparklineOptions) {
  const highest = Math.max(...values, 0);
  if (highest === 0 || values.length < 2) {
    return (
      <svg width={width} height={height} aria-hidden="true">
        <line x1="0" x2={width} y1={height - 3} y2={height - 3} stroke="var(--line-strong)" strokeDasharray="2 3" />
      </svg>
    );
  }
  const points = values.map((value, index) => {
    const x = (index / (values.length - 1)) * (width - 2) + 1;
    const y = height - 2 - (value / highest) * (height - 5);
    return `${x.toFixed(1)} ${y.toFixed(1)}`;
  });
  const line = `M${points.join("L")}`;
  return (
    <svg width={width} height={height} aria-hidden="true">
      <path d={`${line}L${width - 1} ${height - 1}L1 ${height - 1}Z`} fill="var(--brand)" opacity="0.13" />
      <path d={line} fill="none" stroke="var(--brand)" strokeWidth="1.5" strokeLinejoin="round" />
    </svg>
  );
}

type SparklineOptions = { readonly values: readonly number[]; readonly width?: number; readonly height?: number };
