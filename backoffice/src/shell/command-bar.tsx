import { Dialog } from "../ui/dialog.tsx";

/** The command bar. */
export default function CommandBar({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title="Search" onClose={onClose}>
      <span />
    </Dialog>
  );
}
