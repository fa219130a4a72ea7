import { chaosRuns } from "../support/chaos.ts";

chaosRuns(Number(process.env["CHAOS_SECONDS"] ?? 10) * 1_000);
