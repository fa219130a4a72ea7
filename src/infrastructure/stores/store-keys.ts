/** Prefix of all of Tidegate's own keys, except for the sets of the kill switch. */
export const ownPrefix = "tidegate:";
/** Set of the kill switch. Sets whose keys continue with a colon are not Tidegate's own either. */
export const killedKey = `${ownPrefix}killed`;

/** Whether a key, or all keys with this prefix, are Tidegate's own. Sources and tokens may not use them. */
export const isOwnKey = (text: string): boolean =>
  text.startsWith(ownPrefix) && text !== killedKey && !text.startsWith(`${killedKey}:`);

/** In Redis, a sorted set: the known features, by the day on which each was last registered. */
export const registerKey = `${ownPrefix}register`;

/** In Redis, a hash: the documents of a collection by name, as JSON. */
export const collectionKey = (collection: string): string => `${ownPrefix}documents:${collection}`;
