import { longSetRuns } from "../support/long-set.ts";

longSetRuns(10_000);
