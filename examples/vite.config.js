// Serves the pages of this folder, and passes the calls of their apps on to Tidegate.
const target = process.env.TIDEGATE_URL ?? "http://localhost:5000";

export default { server: { proxy: { "/features": target, "/ofrep": target } } };
