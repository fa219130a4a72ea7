/** The methods that routes can have. `GET` routes also serve `HEAD`, and every path serves `OPTIONS`. */
export const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"];
