import { useMantineColorScheme } from "@mantine/core";
import { Monitor, Moon, Sun } from "lucide-react";
import { Menu } from "../ui/menu.tsx";

const schemes = [
  { value: "light", name: "Light", Icon: Sun },
  { value: "dark", name: "Dark", Icon: Moon },
  { value: "auto", name: "As the system", Icon: Monitor },
] as const;

/** Chooses the colours; kept in this browser. */
export function ThemeMenu() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const { Icon } = schemes.find(({ value }) => value === colorScheme) ?? schemes[0];
  return (
    <Menu
      button={<Icon size={16} aria-hidden />}
      label="Colours"
      className="icon-button"
      items={schemes.map(({ value, name, Icon: Each }) => ({
        name,
        icon: <Each size={15} aria-hidden />,
        isSelected: value === colorScheme,
        onChoose: () => setColorScheme(value),
      }))}
    />
  );
}
