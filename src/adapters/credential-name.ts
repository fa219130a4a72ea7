const names = [
  ...["token", "accesstoken", "apitoken", "authtoken", "idtoken", "bearer", "jwt"],
  ...["apikey", "accesskey", "auth", "authorization", "credential", "credentials"],
  ...["secret", "clientsecret", "password", "passwd", "pwd"],
];

/** Whether a query parameter of this name contains a credential. Ignores case, `-` and `_`. */
export const isCredentialName = (name: string): boolean => names.includes(name.toLowerCase().replaceAll(/[-_]/g, ""));
