/** Texts that are not tokens. */
export const unlikelyTokens: readonly string[] = [
  "",
  " ",
  " 1234",
  "1234 ",
  "1234\r\nFLUSHALL",
  "1234\u0000",
  "\u2028",
  "\ufffd",
  "x".repeat(513),
  "x".repeat(10_000),
];

/** Tokens outside the Bearer grammar, which a careless key would change. */
export const oddTokens: readonly string[] = [
  "a b",
  "a:b",
  ":",
  "user:1",
  "1$2",
  "tü",
  "tu\u0308",
  "*",
  "?",
  "[a]",
  "{1234}",
  "=",
  "%31234",
  "\\",
  "🔑",
  "ü".repeat(512),
];
