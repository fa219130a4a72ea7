import { z } from "zod";

const units = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Schema of a duration in minutes, hours or days, such as `30d`. Its output is in milliseconds. */
export const duration = (maxDays: number) =>
  z
    .string()
    .regex(/^[1-9]\d{0,5}[mhd]$/, {
      error: "is invalid (expected a number of m, h or d, for example 30d)",
      abort: true,
    })
    .transform((text) => Number.parseInt(text, 10) * units[text.slice(-1) as keyof typeof units])
    .refine((ms) => ms <= maxDays * units.d, `is longer than ${maxDays} days`);
