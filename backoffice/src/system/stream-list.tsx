import { Card } from "../ui/card.tsx";
import { count } from "../ui/numbers.ts";
import type { System } from "./system-queries.ts";
import { TableRegion } from "./table-region.tsx";

const names: Readonly<Record<string, string>> = {
  features: "Features, of clients",
  ofrep: "OpenFeature (OFREP), of clients",
  events: "Events, of operators",
};

/** The open streams, by what they send. */
export const StreamList = ({ streams }: { readonly streams: System["streams"] }) => (
  <Card title="Streams" isPadded={false}>
    <TableRegion label="Streams">
      <thead>
        <tr>
          <th scope="col">Stream</th>
          <th scope="col">Open</th>
        </tr>
      </thead>
      <tbody>
        {Object.entries(streams).map(([name, open]) => (
          <tr key={name}>
            <th scope="row">{names[name] ?? name}</th>
            <td className="dim num">{count(open)}</td>
          </tr>
        ))}
      </tbody>
    </TableRegion>
  </Card>
);
