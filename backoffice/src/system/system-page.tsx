/** The page System. */
export default function SystemPage() {
  return (
    <div className="page">
      <div className="page-head">
        <h1>System</h1>
      </div>
    </div>
  );
}
