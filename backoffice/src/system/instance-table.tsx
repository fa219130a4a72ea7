import { Card, Tag } from "../ui/card.tsx";
import { counted } from "../ui/numbers.ts";
import { durationText } from "../ui/time.tsx";
import { ageText } from "./figure-text.ts";
import type { System } from "./system-queries.ts";
import { TableRegion } from "./table-region.tsx";

/** Answers of this age and more are late: the page asks more often. */
const lateMs = 15_000;

/** The instances that share a store with the one that answers. */
export function InstanceTable({ system: { instances, at, ...system } }: { readonly system: System }) {
  const unnamed = system.instancesUnnamed;
  const missing = system.instancesMissing ?? 0;
  const since = (time: string) => Date.parse(at) - Date.parse(time);
  return (
    <Card title="Instances" isPadded={false}>
      <TableRegion label="Instances">
        <thead>
          <tr>
            <th scope="col">Instance</th>
            <th scope="col">Version</th>
            <th scope="col">Workers</th>
            <th scope="col">Up</th>
            <th scope="col">Seen</th>
          </tr>
        </thead>
        <tbody className="num">
          {instances.map(({ host, pid, version, startedAt, workers, lastSeen, own }) => (
            <tr key={`${host} ${pid}`}>
              <th scope="row">
                <span className="row">
                  {host}, process {pid} {own && <Tag>this one</Tag>}
                </span>
              </th>
              <td className="dim">{version}</td>
              <td className="dim">{workers.length}</td>
              <td className="dim nowrap">{durationText(since(startedAt))}</td>
              <td className={`nowrap ${since(lastSeen) < lateMs ? "dim" : "state-text-unknown"}`}>
                {since(lastSeen) < lateMs ? "now" : `no answer, ${ageText(at, lastSeen)}`}
              </td>
            </tr>
          ))}
        </tbody>
      </TableRegion>
      {(unnamed > 0 || missing > 0) && (
        <p className="tiny dim card-body">
          {unnamed > 0 &&
            `${counted(unnamed, "connection")} of instances of an earlier version, which do not name themselves. `}
          {missing > 0 && `${counted(missing, "connection")} to the store did not answer within a second.`}
        </p>
      )}
    </Card>
  );
}
