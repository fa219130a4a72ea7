export { source } from "./switches.ts";
