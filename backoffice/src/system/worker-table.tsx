import { Card } from "../ui/card.tsx";
import { durationText } from "../ui/time.tsx";
import { memory } from "./figure-text.ts";
import type { System } from "./system-queries.ts";
import { TableRegion } from "./table-region.tsx";

/** The workers of the instance that answers. */
export const WorkerTable = ({ system: { host, workers, at } }: { readonly system: System }) => (
  <Card title="Workers" actions={<span className="tiny dim">of this instance, {host}</span>} isPadded={false}>
    <TableRegion label="Workers of this instance">
      <thead>
        <tr>
          <th scope="col">Worker</th>
          <th scope="col">Memory</th>
          <th scope="col">Up</th>
        </tr>
      </thead>
      <tbody className="num">
        {workers.map(({ pid, residentBytes, startedAt }) => (
          <tr key={pid}>
            <th scope="row">process {pid}</th>
            <td className="dim">{memory(residentBytes)}</td>
            <td className="dim">{durationText(Date.parse(at) - Date.parse(startedAt))}</td>
          </tr>
        ))}
      </tbody>
    </TableRegion>
  </Card>
);
