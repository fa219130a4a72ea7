import { settingsCrashRuns } from "../support/settings-crash.ts";

settingsCrashRuns({ lives: Number(process.env["CRASH_LIVES"] ?? 3), changesOfEach: 30 });
