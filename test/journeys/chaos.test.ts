import { chaosRuns } from "../support/chaos.ts";

// `make soak` runs them for longer.
chaosRuns(2_000);
