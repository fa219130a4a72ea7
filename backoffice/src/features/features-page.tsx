/** The page Features. */
export function FeaturesPage() {
  return (
    <div className="page">
      <div className="page-head">
        <h1>Features</h1>
      </div>
    </div>
  );
}
