/** The page of one. */
export default function FeaturePage({ id }: { readonly id: string }) {
  return (
    <div className="page">
      <div className="page-head">
        <h1>{id}</h1>
      </div>
    </div>
  );
}
