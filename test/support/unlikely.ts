/** Texts that are no tokens, and that a careless key would make something of. */
export const unlikelyTokens: readonly string[] = [
  "",
  " ",
  "a b",
  "a:b",
  "*",
  "?",
  "[a]",
  "{1234}",
  "1234\r\nFLUSHALL",
  "1234\u0000",
  "é",
  "=",
  "%31234",
  "x".repeat(513),
  "x".repeat(10_000),
];
