import { booleanPointInPolygon } from "@turf/boolean-point-in-polygon";
import { distance } from "@turf/distance";
import { polygon } from "@turf/helpers";
import { InvalidContext } from "../../domain/errors.ts";
import type { Locator } from "../../domain/evaluation/locator.ts";
import type { Area, AreaOptions, CoordinateNames } from "./locator-options.ts";

type Point = [longitude: number, latitude: number];

const decimal = /^[+-]?\d{1,3}(\.\d{1,20})?$/;

/** Area locator: returns the areas that contain a point, which two query parameters name, or otherwise two headers. */
export function areaLocator({ areas, query, headers }: AreaOptions): Locator {
  const shapes = areas.map((area) => ({ name: area.name, contains: containmentIn(area) }));
  const headerNames = headers && lowerCased(headers);
  return {
    kind: "areas",
    headers: headerNames ? Object.values(headerNames) : [],
    readsIp: false,
    locate: (hints) => {
      const point =
        pointIn(hints.query, query, "parameters") ?? (headerNames && pointIn(hints.header, headerNames, "headers"));
      return point ? shapes.filter(({ contains }) => contains(point)).map(({ name }) => name) : [];
    },
  };
}

/** Tests whether an area contains a point. Points on the edge are included. */
function containmentIn({ circle, polygon: corners = [] }: Area): (point: Point) => boolean {
  if (circle) {
    const center = pointOf(circle);
    return (point) => distance(center, point, { units: "kilometers" }) <= circle.radiusKm;
  }
  const ring = corners.map(pointOf);
  const shape = polygon([[...ring, ...ring.slice(0, 1)]]);
  return (point) => booleanPointInPolygon(point, shape);
}

/** The point of two coordinate values. `undefined` if both are missing. */
function pointIn(
  read: (name: string) => string | undefined,
  names: CoordinateNames,
  kind: "parameters" | "headers",
): Point | undefined {
  const latitude = read(names.latitude);
  const longitude = read(names.longitude);
  if (!latitude && !longitude) return undefined;
  if (isDegrees(latitude, 90) && isDegrees(longitude, 180)) return [Number(longitude), Number(latitude)];
  throw new InvalidContext(
    `The ${kind} ${names.latitude} and ${names.longitude} are not a point (expected degrees such as 40.4168 and -3.7038, within -90 to 90 and -180 to 180).`,
  );
}

const isDegrees = (text: string | undefined, max: number): boolean =>
  text !== undefined && decimal.test(text) && Math.abs(Number(text)) <= max;

const pointOf = ({ latitude, longitude }: { readonly latitude: number; readonly longitude: number }): Point => [
  longitude,
  latitude,
];

const lowerCased = ({ latitude, longitude }: CoordinateNames): CoordinateNames => ({
  latitude: latitude.toLowerCase(),
  longitude: longitude.toLowerCase(),
});
