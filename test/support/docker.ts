import { getContainerRuntimeClient } from "testcontainers";

/** Whether containers can be started here. */
export async function dockerRuns(): Promise<boolean> {
  try {
    await getContainerRuntimeClient();
    return true;
  } catch {
    return false;
  }
}
