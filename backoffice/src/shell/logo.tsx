/** The logo, in the colours of the theme. */
const Logo = ({ size = 24 }: { readonly size?: number }) => (
  <svg width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
    <rect width="24" height="24" rx="6.5" fill="var(--brand)" />
    <path
      d="M5.5 8.2c1.6-1.5 3.2-1.5 4.4 0s2.7 1.5 4.2 0 3-1.5 4.4 0M5.5 13c1.6-1.5 3.2-1.5 4.4 0s2.7 1.5 4.2 0M5.5 17.6c1.6-1.4 3.2-1.4 4.4 0"
      fill="none"
      stroke="var(--brand-text)"
      strokeWidth="1.9"
      strokeLinecap="round"
    />
  </svg>
);

/** The name of the product, with the environment that the page changes. */
export const Brand = ({ environment, size }: { readonly environment?: string | undefined; readonly size?: number }) => (
  <div className="brand">
    <Logo {...(size !== undefined && { size })} />
    Tidegate
    {environment && <span className="environment">{environment}</span>}
  </div>
);
