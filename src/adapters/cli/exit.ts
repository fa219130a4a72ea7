import { ChangeRefused, StoreDataInvalid, TidegateError } from "../../domain/errors.ts";
import { ConfigError } from "../../infrastructure/config/config-error.ts";
import { SetupFailed } from "../../infrastructure/setup-failed.ts";

/** EX_CONFIG of sysexits.h: something is wrong with the configuration. */
const configExit = 78;

const meantForPeople = [ConfigError, SetupFailed, ChangeRefused, TidegateError, StoreDataInvalid];

/**
 * Runs the process's task. What it fails with goes to standard error, without a stack where the message is
 * meant for people, and sets the exit code: 78 for a configuration that cannot be used, else 1.
 */
export async function exitingWell(task: () => Promise<void>): Promise<void> {
  try {
    await task();
  } catch (error) {
    process.exitCode = error instanceof ConfigError ? configExit : 1;
    const expected = meantForPeople.some((kind) => error instanceof kind);
    const text = error instanceof Error ? (!expected && error.stack) || error.message : String(error);
    console.error(expected ? `tidegate: ${text}` : text);
  }
}
