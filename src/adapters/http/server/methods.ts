/** The methods that a route may have. `HEAD` is answered by the route of `GET`, and `OPTIONS` by all. */
export const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"];
