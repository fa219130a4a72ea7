/** Licences that allow use in an MIT product, with attribution at most. */
const allowedLicences = new Set([
  ...["0BSD", "Apache-2.0", "BlueOak-1.0.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "Unlicense"],
]);

/** Whether a licence allows use, or one of the choices of an SPDX expression such as `(MIT OR CC0-1.0)`. */
export const isAllowedLicence = (licence: string): boolean =>
  licence
    .replace(/^\((.*)\)$/, "$1")
    .split(" OR ")
    .some((choice) => allowedLicences.has(choice));
