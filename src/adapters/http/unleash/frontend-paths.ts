/** The paths of the frontend API. The second one is that of the Unleash Proxy. */
export const frontendPaths = ["/api/frontend", "/api/proxy"] as const;
