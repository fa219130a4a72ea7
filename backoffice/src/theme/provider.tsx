import "@mantine/core/styles/baseline.layer.css";
import "@mantine/core/styles/default-css-variables.layer.css";
import "@mantine/core/styles/global.layer.css";
import "@mantine/core/styles/UnstyledButton.layer.css";
import "@mantine/core/styles/Input.layer.css";
import "@mantine/core/styles/InlineInput.layer.css";
import "@mantine/core/styles/Switch.layer.css";
import "@mantine/core/styles/Checkbox.layer.css";
import "./tokens.css";
import "./base.css";
import "./mantine.css";
import { createTheme, type MantineColorsTuple, MantineProvider } from "@mantine/core";
import type { ReactNode } from "react";

const tide: MantineColorsTuple = [
  "#e3f1f7",
  "#c9e4ef",
  "#9ccde2",
  "#6cb5d4",
  "#4fb7dc",
  "#2a8fb8",
  "#0b6285",
  "#095575",
  "#074760",
  "#05374b",
];

const theme = createTheme({
  primaryColor: "tide",
  primaryShade: { light: 6, dark: 4 },
  colors: { tide },
  fontFamily: "Inter, system-ui, sans-serif",
  cursorType: "pointer",
  defaultRadius: "md",
  focusRing: "auto",
  respectReducedMotion: true,
});

/**
 * The theme of the page. Mantine would inject style elements for its variables; they are in the style sheet instead, so
 * that the Content-Security-Policy can forbid inline styles.
 */
export const ThemeProvider = ({ children }: { readonly children: ReactNode }) => (
  <MantineProvider withCssVariables={false} withGlobalClasses={false} theme={theme} defaultColorScheme="auto">
    {children}
  </MantineProvider>
);
