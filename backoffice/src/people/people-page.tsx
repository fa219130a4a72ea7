/** The page People. */
export default function PeoplePage() {
  return (
    <div className="page">
      <div className="page-head">
        <h1>People</h1>
      </div>
    </div>
  );
}
