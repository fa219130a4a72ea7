import validateLinks from "remark-validate-links";

/** Checks that each link between files and headings of this repository leads somewhere. Calls no other host. */
export default { plugins: [[validateLinks, { repository: false }]] };
