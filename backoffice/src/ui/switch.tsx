import { Switch as MantineSwitch } from "@mantine/core";
import type { ReactNode } from "react";
import { useIsPaused } from "../live/connection.ts";

/** A switch that names its feature, such as "On for everyone: express-pay". Disabled while the connection is lost. */
export function Switch({
  name,
  isOn,
  isDisabled = false,
  isLarge = false,
  label,
  description,
  onChange,
}: {
  readonly name: string;
  readonly isOn: boolean;
  readonly isDisabled?: boolean;
  readonly isLarge?: boolean;
  /** Text beside it, which changes with the state; the name stays. */
  readonly label?: ReactNode;
  /** For assistive technology; others see it as the title of what is around the switch. */
  readonly description?: string | undefined;
  readonly onChange: (isOn: boolean) => void;
}) {
  const isPaused = useIsPaused();
  return (
    <MantineSwitch
      withThumbIndicator={false}
      size={isLarge ? "md" : "sm"}
      aria-label={name}
      aria-description={description}
      label={label}
      checked={isOn}
      disabled={isDisabled || isPaused}
      onChange={(event) => onChange(event.currentTarget.checked)}
    />
  );
}
