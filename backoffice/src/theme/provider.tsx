import "@mantine/core/styles/InlineInput.layer.css";
import "@mantine/core/styles/Switch.layer.css";
import "@mantine/core/styles/Checkbox.layer.css";
import "./tokens.css";
import "./base.css";
import "./mantine.css";
import { MantineProvider } from "@mantine/core";
import type { ReactNode } from "react";

/**
 * The theme of the page. Mantine would inject style elements for its variables; those that are used are in the style
 * sheet instead, so that the Content-Security-Policy can forbid inline styles.
 */
export const ThemeProvider = ({ children }: { readonly children: ReactNode }) => (
  <MantineProvider withCssVariables={false} withGlobalClasses={false} defaultColorScheme="auto">
    {children}
  </MantineProvider>
);
