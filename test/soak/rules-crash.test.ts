import { rulesCrashRuns } from "../support/rules-crash.ts";

rulesCrashRuns({ lives: Number(process.env["CRASH_LIVES"] ?? 2), changesOfEach: 30 });
