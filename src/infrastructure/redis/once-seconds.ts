/** How long the answer to a change that has a name is kept. */
export const onceSeconds = 86_400;
