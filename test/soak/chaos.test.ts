import { chaosRuns } from "../support/chaos.ts";

chaosRuns(Number(process.env["CHAOS_SECONDS"] ?? 20) * 1_000);
