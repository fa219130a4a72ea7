import type { Person } from "./demo-shop.ts";

/** A feature of the shop, and where it is on. */
export type DemoFeature = {
  readonly key: string;
  readonly description: string;
  readonly owner: string;
  readonly tags: readonly string[];
  readonly by: Person;
  readonly everyone?: boolean;
  /** Whether the gate is open for it. */
  readonly active?: boolean;
  readonly locations?: readonly string[];
  readonly percentage?: number;
  readonly windows?: readonly object[];
  /** The reason of the kill. */
  readonly killed?: string;
};

const fridayEvening = { recurrence: "FREQ=WEEKLY;BYDAY=FR", from: "18:00", to: "23:00", timeZone: "Europe/Madrid" };

/** The locations of the users. */
export const demoCities = ["madrid", "barcelona", "valencia", "sevilla", "bilbao"];

const checkout = { owner: "Checkout", tags: ["web", "mobile"] };
const mobile = { owner: "Mobile", tags: ["ios", "android"] };
const growth = { owner: "Growth", tags: ["experiment"] };
const payments = { owner: "Payments", tags: ["api"] };
const trust = { owner: "Trust & Safety", tags: ["ops"] };

export const demoFeatures: readonly DemoFeature[] = [
  {
    ...checkout,
    key: "checkout.express-pay",
    description: "One-step payment with a stored card or wallet on the order page",
    tags: ["release", "web", "mobile"],
    by: "marta.ibanez",
    active: true,
    locations: ["es", "pt", "it"],
    percentage: 25,
  },
  {
    ...checkout,
    key: "checkout.apple-pay",
    description: "Apple Pay button in the purchase flow",
    by: "luca.ferri",
    everyone: true,
  },
  {
    ...checkout,
    key: "checkout.address-autocomplete",
    description: "Suggests addresses while the buyer types",
    by: "luca.ferri",
    everyone: true,
    killed: "The address provider returns wrong postcodes",
  },
  {
    ...checkout,
    key: "checkout.google-pay",
    description: "Google Pay button in the purchase flow",
    by: "jonas.weber",
    active: true,
  },
  {
    ...checkout,
    key: "checkout.guest-flow",
    description: "Buy without an account",
    by: "marta.ibanez",
    everyone: true,
  },
  {
    ...checkout,
    key: "checkout.installments",
    description: "Pay in three parts above 90 €",
    tags: ["pricing", "q4"],
    by: "luca.ferri",
    active: true,
    locations: ["es"],
    percentage: 10,
  },
  {
    ...checkout,
    key: "checkout.cart-recovery",
    description: "Restores an abandoned cart after sign-in",
    by: "jonas.weber",
  },
  {
    ...checkout,
    key: "checkout.gift-cards",
    description: "Sells and redeems gift cards",
    tags: ["q4"],
    by: "marta.ibanez",
    windows: [{ ...fridayEvening, recurrence: "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24", from: "00:00", to: "23:59" }],
  },
  { ...checkout, key: "checkout.split-bill", description: "Lets a group pay one order together", by: "luca.ferri" },
  {
    ...checkout,
    key: "checkout.tax-preview",
    description: "Shows taxes before the address is known",
    by: "marta.ibanez",
    everyone: true,
  },
  {
    owner: "Web Platform",
    tags: ["web"],
    key: "web.bundle-split",
    description: "Bundle split for signed-in users",
    by: "jonas.weber",
    percentage: 10,
  },
  {
    owner: "Web Platform",
    tags: ["web", "beta"],
    key: "web.view-transitions",
    description: "Animated transitions between pages",
    by: "jonas.weber",
    everyone: true,
  },
  {
    ...trust,
    key: "trust.bot-shield",
    description: "Challenges clients that behave like robots",
    by: "jonas.weber",
    everyone: true,
  },
  {
    ...trust,
    key: "trust.velocity-limits",
    description: "Limits orders of one card to five an hour",
    by: "jonas.weber",
  },
  {
    ...payments,
    key: "payments.sepa-instant",
    description: "Instant transfers instead of next-day ones",
    by: "luca.ferri",
    everyone: true,
  },
  {
    ...payments,
    key: "payments.wallet-balance",
    description: "Pays with the balance of earlier refunds",
    by: "luca.ferri",
    active: true,
    locations: ["de", "at"],
  },
  { ...payments, key: "payments.ledger-v2", description: "Books each payment twice, to compare", by: "marta.ibanez" },
  {
    ...growth,
    key: "home.referral-banner",
    description: "Invites a friend from the start page",
    by: "marta.ibanez",
    percentage: 50,
  },
  {
    ...growth,
    key: "loyalty.double-points-friday",
    description: "Twice the points on Friday evenings",
    by: "luca.ferri",
    windows: [fridayEvening],
  },
  { ...growth, key: "home.for-you-feed", description: "A start page of one's own", by: "marta.ibanez", everyone: true },
  {
    owner: "Search",
    tags: ["experiment", "api"],
    key: "search.semantic-ranking",
    description: "Ranks results by meaning, not only by words",
    by: "luca.ferri",
    active: true,
    locations: demoCities,
    percentage: 5,
  },
  {
    owner: "Search",
    tags: ["web"],
    key: "search.typo-tolerance",
    description: "Finds results in spite of typing errors",
    by: "luca.ferri",
    everyone: true,
  },
  {
    owner: "Identity",
    tags: ["release"],
    key: "account.passkeys",
    description: "Signs in with a passkey instead of a password",
    by: "marta.ibanez",
    everyone: true,
  },
  {
    ...mobile,
    key: "tickets.mobile-wallet-pass",
    description: "Saves tickets in the wallet of the phone",
    by: "jonas.weber",
    active: true,
  },
  { ...mobile, key: "ios.live-activities", description: "Shows the order on the lock screen", by: "jonas.weber" },
];

/** Users with features of their own. */
export const demoUsers: readonly { readonly id: string; readonly features: readonly string[] }[] = Array.from(
  { length: 120 },
  (_, index) => ({
    id: `u-${48_200 + index}`,
    features: [
      "checkout.express-pay",
      ...(index < 48 ? ["checkout.google-pay"] : []),
      ...(index < 31 ? ["checkout.cart-recovery"] : []),
      ...(index % 3 === 0 ? ["tickets.mobile-wallet-pass"] : []),
    ],
  }),
);
