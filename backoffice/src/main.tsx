import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { queryClient } from "./api/query-client.ts";
import { App } from "./app.tsx";
import { startShortcuts } from "./keyboard/shortcuts.ts";
import { currentLocation } from "./routing/location.ts";
import { loadPageAt } from "./shell/pages.tsx";
import { ThemeProvider } from "./theme/provider.tsx";
import { ErrorBoundary } from "./ui/error-boundary.tsx";

startShortcuts();
loadPageAt(currentLocation());
const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <ThemeProvider>
        <QueryClientProvider client={queryClient}>
          <ErrorBoundary>
            <App />
          </ErrorBoundary>
        </QueryClientProvider>
      </ThemeProvider>
    </StrictMode>,
  );
}
