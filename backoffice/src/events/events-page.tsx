/** The page Events. */
export default function EventsPage() {
  return (
    <div className="page">
      <div className="page-head">
        <h1>Events</h1>
      </div>
    </div>
  );
}
